import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { parseKeyRing } from "../../../../src/privacy/keys/key-ring.ts";
import { openKeyProvider } from "../../../../src/privacy/keys/open-key-provider.ts";
import { RingKeyProvider } from "../../../../src/privacy/keys/ring-key-provider.ts";

const KEY = randomBytes(32);
const CONTEXT = "satyapan/data-key/1|0123456789ab|day:2026-11-21";

function newKey(id: string): string {
  return `${id}:${randomBytes(32).toString("base64")}`;
}

function provider(...keys: readonly string[]): RingKeyProvider {
  return new RingKeyProvider(parseKeyRing(keys.join(",")));
}

describe("a key ring as provider", () => {
  it("wraps with its first key, unwraps with all, and tells by which", async () => {
    const [old, fresh] = [newKey("old"), newKey("new")];
    const before = await provider(old).wrap(KEY, CONTEXT);
    expect(before).toMatch(/^w1\.old\.[A-Za-z0-9_-]{80}$/);
    const after = provider(fresh, old);
    expect(after.sealingId).toBe("new");
    expect(after.keyIdOf(before)).toBe("old");
    expect(Buffer.from(await after.unwrap(before, CONTEXT))).toEqual(KEY);
    expect(after.keyIdOf(await after.wrap(KEY, CONTEXT))).toBe("new");
  });

  it("writes another text each time, and nothing of the key", async () => {
    const ring = provider(newKey("k1"));
    const texts = await Promise.all(Array.from({ length: 100 }, async () => await ring.wrap(KEY, CONTEXT)));
    expect(new Set(texts).size).toBe(100);
    expect(texts.join("\n")).not.toContain(KEY.toString("base64url").slice(0, 20));
  });

  it("names the key that is missing", async () => {
    const wrapped = await provider(newKey("old")).wrap(KEY, CONTEXT);
    await expect(provider(newKey("new")).unwrap(wrapped, CONTEXT)).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_KEY,
      message: expect.stringContaining('the key "old"') as string,
    });
  });

  it("unwraps nothing for another data key or scope, and nothing that was altered, all in the same words", async () => {
    const ring = provider(newKey("k1"), newKey("k2"));
    const wrapped = await ring.wrap(KEY, CONTEXT);
    const bytes = Buffer.from(wrapped.slice("w1.k1.".length), "base64url");
    const flipped = Array.from(bytes, (_, index) => {
      const copy = Buffer.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ 1;
      return `w1.k1.${copy.toString("base64url")}`;
    });
    const altered = [
      ...flipped,
      wrapped.slice(0, -1),
      `${wrapped}A`,
      wrapped.replace("k1", "k2"),
      "w1.k1.",
      "w2.k1.AA",
      "",
    ];
    const attempts = [
      ...altered.map(async (text) => await ring.unwrap(text, CONTEXT)),
      ring.unwrap(wrapped, CONTEXT.replace("0123456789ab", "0123456789ac")),
      ring.unwrap(wrapped, CONTEXT.replace("day:2026-11-21", "day:2026-11-22")),
    ];
    const messages = await Promise.all(attempts.map(async (attempt) => String(await attempt.catch(String))));
    expect(new Set(messages)).toEqual(
      new Set([
        "SatyapanError: a stored data key does not unwrap: it was altered or exchanged, or wrapped by another key of the same id",
      ]),
    );
  });
});

describe("openKeyProvider", () => {
  const service = {
    kind: "command",
    program: "/bin/false",
    args: [],
    environment: () => ({}),
  } as const;

  it("unwraps with the ring what the ring wrapped, also when a service wraps now", async () => {
    const keys = parseKeyRing(newKey("k1"));
    const wrapped = await new RingKeyProvider(keys).wrap(KEY, CONTEXT);
    const both = openKeyProvider({ keys, keyService: service });
    expect(both.sealingId).toBeNull();
    expect(both.keyIdOf(wrapped)).toBe("k1");
    expect(Buffer.from(await both.unwrap(wrapped, CONTEXT))).toEqual(KEY);
    await expect(both.wrap(KEY, CONTEXT)).rejects.toMatchObject({ code: ErrorCode.KEYS_UNREACHABLE });
  });

  it("says what is missing where the ring, or the service, was taken away", async () => {
    const keys = parseKeyRing(newKey("k1"));
    const wrapped = await new RingKeyProvider(keys).wrap(KEY, CONTEXT);
    await expect(openKeyProvider({ keys: null, keyService: service }).unwrap(wrapped, CONTEXT)).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_KEY,
      message: expect.stringContaining('the key "k1"') as string,
    });
    const ofService = `x1.${Buffer.from("kms-1").toString("base64url")}.AAAA`;
    const ring = openKeyProvider({ keys, keyService: null });
    expect(ring.keyIdOf(ofService)).toBe("kms-1");
    await expect(ring.unwrap(ofService, CONTEXT)).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_KEY,
      message: expect.stringContaining("set KEY_PROVIDER") as string,
    });
  });
});
