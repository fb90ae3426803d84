import { describe, expect, it } from "vitest";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { dayScope } from "../../../src/privacy/sealing/data-key.ts";
import { recordKey } from "../../../src/queues/names.ts";
import { sealPersonal } from "../../../src/records/sealed-input.ts";
import { type ClientBundle, MOBILE, MOBILE_INPUT, startClientBundle, testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("satyapan show", () => {
  it("prints a job's record, with --json as one document, and no number in clear", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    await bundle.begin("order-1", "eko");
    await bundle.finish("order-1", "eko", "succeeded", { result: { mobile: "XXXXXX6780", otp_sent: true } });
    const place = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url } };
    const text = await satyapan(["show", "order-1"], place);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^state +succeeded$/m);
    expect(text.stdout).toMatch(/^result\.mobile +XXXXXX6780$/m);
    expect(text.stdout).toMatch(/^1 +ref-1 /m);
    const json = await satyapan(["show", "order-1", "--json"], place);
    expect(JSON.parse(json.stdout)).toEqual(await bundle.client.get("order-1"));
    expect(text.stdout + json.stdout).not.toContain(MOBILE);
  });

  it("says that there is no such job, without repeating what may be a number, and asks for an id", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const place = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url } };
    const ran = async (...args: string[]) => {
      const { code, stdout, stderr } = await satyapan(["show", ...args], place);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      return stderr;
    };
    expect(await ran("order-2")).toBe("satyapan: there is no job order-2, or its record is past its retention\n");
    expect(await ran(MOBILE, "--json")).toBe("satyapan: there is no such job, or its record is past its retention\n");
    expect(await ran()).toBe("satyapan: missing required argument 'id'; see `satyapan show --help`\n");
  });
});

const QUEUE = "{eko-0}";
const WHY = "ticket 17";
const PERSONAL = { name: "Made Up", address: { city: "Nowhere" } };

/** A job that succeeded, with its input and a personal part, and how the command is run beside it. */
async function setup(bundle: ClientBundle, keys: Record<string, string>, cwd: string) {
  await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
  await bundle.begin("order-1", "eko");
  const sealer = await bundle.dataKeys.sealer(dayScope(Date.now()));
  const personal = sealPersonal(sealer, findOperation("eko.mobile-otp"), "order-1", PERSONAL);
  await bundle.finish("order-1", "eko", "succeeded", { result: { otp_sent: true }, personal });
  const place = { cwd, env: { ...keys, REDIS_URL: bundle.redis.url } };
  return {
    show: async (...args: string[]) => await satyapan(["show", "order-1", ...args], place),
    audited: async () => {
      const found = await bundle.redis.client().xrange(outboxKey(QUEUE), "-", "+");
      return found.map(([, [, text = ""]]) => JSON.parse(text) as Record<string, unknown>);
    },
  };
}

describe("satyapan show --reveal", () => {
  it("prints the values in clear, for people and as JSON, and is in the audit log each time", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const { show, audited } = await setup(bundle, keys, dir.path);
    const text = await show("--reveal", "--reason", WHY);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(new RegExp(`^input\\.mobile +${MOBILE}$`, "m"));
    expect(text.stdout).toMatch(/^personal\.name +Made Up$/m);
    expect(text.stdout).toMatch(/^personal\.address +\{"city":"Nowhere"\}$/m);
    expect(text.stdout).toMatch(/^state +succeeded$/m);
    const json = await show("--reveal", "--reason", WHY, "--json");
    expect(json).toMatchObject({ code: 0, stderr: "" });
    const record = await bundle.client.get("order-1");
    expect(JSON.parse(json.stdout)).toEqual({ ...record, input: MOBILE_INPUT, personal: PERSONAL });
    const entry = { kind: "reveal", job: "order-1", reason: WHY, actor: expect.stringMatching(/^command:./) as string };
    expect(await audited()).toMatchObject([entry, entry]);
  });

  it("with --once takes the personal part with it, and says then that nothing is kept", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const { show } = await setup(bundle, keys, dir.path);
    expect((await show("--reveal", "--reason", WHY, "--once")).stdout).toContain("Made Up");
    await bundle.redis.client().hdel(recordKey(QUEUE, "order-1"), "input");
    const again = await show("--reveal", "--reason", WHY, "--once");
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/^input: nothing is kept\npersonal: nothing is kept$/m);
    const json = await show("--reveal", "--reason", WHY, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ id: "order-1", input: null, personal: null });
  });

  it("prints nothing and says why, where it is refused", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const { show, audited } = await setup(bundle, keys, dir.path);
    for (const [args, message] of [
      [["--reveal"], "--reveal needs --reason TEXT: it is written into the audit log"],
      [["--reveal", "--reason", " "], "reason: say why: it is kept with the record"],
      [["--reveal", "--reason", `for ${MOBILE}`], "reason: holds what looks like a mobile or Aadhaar number"],
      [["--reason", WHY], "--reason and --once belong to --reveal"],
      [["--once"], "--reason and --once belong to --reveal"],
    ] as const) {
      const { code, stdout, stderr } = await show(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(`satyapan: ${message}`);
      expect(stderr).not.toContain(MOBILE);
    }
    expect(await audited()).toEqual([]);
    const sealed = (await bundle.redis.client().hget(recordKey(QUEUE, "order-1"), "personal")) ?? "";
    await bundle.redis.client().hset(recordKey(QUEUE, "order-1"), "personal", `${sealed.slice(0, -4)}AAAA`);
    expect(await show("--reveal", "--reason", WHY)).toMatchObject({
      ...{ code: 1, stdout: "", stderr: expect.stringContaining("does not open") as string },
    });
  });

  it("prints nothing where the audit log cannot be written", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const { show } = await setup(bundle, keys, dir.path);
    await bundle.redis.client().set(outboxKey(QUEUE), "no stream");
    const { code, stdout, stderr } = await show("--reveal", "--reason", WHY, "--json");
    expect({ code: code === 0, stdout }).toEqual({ code: false, stdout: "" });
    expect(stderr).not.toContain(MOBILE);
  });
});
