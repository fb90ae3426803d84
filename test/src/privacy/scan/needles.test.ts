import { randomBytes } from "node:crypto";
import { array, assert, property, stringMatching, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseKeyRing } from "../../../../src/privacy/keys/key-ring.ts";
import { Needles } from "../../../../src/privacy/scan/needles.ts";
import { Scanner } from "../../../../src/privacy/scan/scanner.ts";
import { secretsOf } from "../../../../src/privacy/scan/secret-needles.ts";
import { Secret } from "../../../../src/secrets/secret.ts";

const VALUE = 'pl/anted "kéy"+1';
const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

describe("a known value is found", () => {
  const needles = new Needles([{ kind: "secret", name: "eko.accessKey", value: VALUE }]);
  it.each([
    ["as it is", VALUE, "eko.accessKey"],
    ["within a text", `x${VALUE}y`, "eko.accessKey"],
    ["in JSON", JSON.stringify({ a: VALUE }), "eko.accessKey in JSON"],
    ["in a path", `/x/${encodeURIComponent(VALUE)}`, "eko.accessKey in URL form"],
    ["in a query", `?a=${new URLSearchParams([["", VALUE]]).toString().slice(1)}`, "eko.accessKey in URL form"],
    ["in hex", Buffer.from(VALUE).toString("hex"), "eko.accessKey in hex"],
    ["in capital hex", Buffer.from(VALUE).toString("hex").toUpperCase(), "eko.accessKey in hex"],
    ["in base64", Buffer.from(VALUE).toString("base64"), "eko.accessKey in base64"],
    ["in base64url", Buffer.from(VALUE).toString("base64url"), "eko.accessKey in base64"],
  ])("%s", (_, text, what) => {
    const [found, ...others] = needles.find(latin1(text));
    expect(found).toMatchObject({ kind: "secret", what, shown: "********" });
    expect(others).toEqual([]);
  });

  it("in the base64 of any longer text", () => {
    assert(
      property(uint8Array({ maxLength: 9 }), uint8Array({ maxLength: 9 }), (before, after) => {
        const text = Buffer.concat([before, Buffer.from(VALUE), after]);
        for (const form of ["base64", "base64url"] as const)
          expect(needles.find(text.toString(form)).map(({ what }) => what)).toEqual(["eko.accessKey in base64"]);
      }),
    );
  });

  it("by its beginning where it is long", () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${randomBytes(1_200).toString("base64")}\n`;
    const long = new Needles([{ kind: "secret", name: "key", value: pem }]);
    expect(long.find(`x${pem}`)).toHaveLength(1);
    expect(long.find(JSON.stringify({ pem }))).toHaveLength(1);
    expect(long.longest).toBeLessThan(2_048);
  });

  it("not in what looks like it", () => {
    expect(needles.find(latin1(VALUE.slice(1)))).toEqual([]);
    expect(new Needles([]).find("anything")).toEqual([]);
  });

  it("but is not looked for where it is so short that it occurs by chance, which is said", () => {
    const short = new Needles([
      { kind: "secret", name: "password", value: "secret" },
      { kind: "canary", name: "canary 1", value: "424242" },
      { kind: "canary", name: "canary 2", value: "42" },
    ]);
    expect(short.tooShort).toEqual(["password", "canary 2"]);
    expect(short.find("secret 424242 42").map(({ what }) => what)).toEqual(["canary 1"]);
    expect(short.find("1424242 4242420")).toEqual([]);
  });
});

/** What stands in a text and where, by trying each value at each place, the longest first. */
function* tried(text: string, values: readonly string[]): Generator<readonly [value: string, at: number]> {
  for (let at = 0; at < text.length; at++) {
    const value = values
      .filter((one) => text.startsWith(one, at))
      .filter((one) => !/^\d+$/.test(one) || !/\d/.test(`${text[at - 1] ?? ""}${text[at + one.length] ?? ""}`))
      .toSorted((a, b) => b.length - a.length)[0];
    if (value === undefined) continue;
    yield [value, at];
    at += value.length - 1;
  }
}

describe("many values", () => {
  const needlesOf = (values: readonly string[]) =>
    new Needles(values.map((value) => ({ kind: "canary", name: value, value })));

  it("are each found where it stands, the longest where they overlap", () => {
    const value = stringMatching(/^(?:[0-3]{4,6}|[ab]{4,7}|[ab0-3]{4,6})$/);
    assert(
      property(array(value), array(stringMatching(/^[ab0-3 ]{0,3}$/)), (values, fillings) => {
        const text = fillings.map((one, index) => `${one}${values[index % values.length] ?? ""}`).join("");
        const found = needlesOf(values).find(text);
        expect(found.map(({ what, at }) => [what, at])).toEqual([...tried(text, values)]);
      }),
    );
  });

  it("are looked for in one pass: four thousand cost little more than ten", () => {
    const text = randomBytes(3 << 20).toString("base64");
    const cpuMs = (count: number): number => {
      const values = Array.from({ length: count }, () => randomBytes(12).toString("base64"));
      const needles = needlesOf(values);
      const began = process.threadCpuUsage();
      expect(needles.find(`${text}${values[0] ?? ""}`)).toHaveLength(1);
      return process.threadCpuUsage(began).user / 1_000;
    };
    expect(cpuMs(4_000)).toBeLessThan(10 * Math.max(20, cpuMs(10)));
  });
});

describe("the secrets of the settings", () => {
  const bytes = randomBytes(32);
  const old = randomBytes(32);
  const settings = {
    redisUrl: new Secret("rediss://user:p%40ssw%3Ard-planted@redis:6379/0"),
    eko: { accessKey: new Secret("planted-access-key"), userCode: "20810200", baseUrl: new URL("https://eko.example") },
    deepvue: null,
    list: [{ token: new Secret("planted-token") }],
    keys: parseKeyRing(`k1:${bytes.toString("base64")},k0:${old.toString("base64")}`),
    subjectKey: new Secret(Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")),
  };
  const needles = new Needles(secretsOf(settings));
  const whats = (text: string): string[] => needles.find(text).map(({ what }) => what);

  it("are all of them, by their names", () => {
    expect(whats("planted-access-key planted-token")).toEqual(["eko.accessKey", "list.0.token"]);
    expect(whats("20810200 https://eko.example")).toEqual([]);
  });

  it("but not where a Redis is: only the passwords of its URL are secrets", () => {
    const lookFor = (redisUrl: string) => new Needles(secretsOf({ keys: null, ...{ redisUrl: new Secret(redisUrl) } }));
    for (const url of [
      "redis://redis.internal:6379/0",
      "rediss+cluster://one:7000,two:7000",
      "unix:///run/redis.sock",
    ]) {
      expect(lookFor(url).size).toBe(0);
      expect(lookFor(url).find(`connecting to ${url}`)).toEqual([]);
    }
    const sentinels = lookFor("redis+sentinel://me:planted%21one@one:1,two:2/main?sentinel_password=planted-two");
    const found = sentinels.find("AUTH me planted!one; AUTH planted-two at one:1,two:2").map(({ what }) => what);
    expect(found).toEqual(["redisUrl's password", "redisUrl's password"]);
  });

  it("with a URL's password alone, as it is written and as it is sent", () => {
    expect(whats("AUTH p@ssw:rd-planted")).toEqual(["redisUrl's password"]);
    expect(whats("p%40ssw%3Ard-planted")).toHaveLength(1);
  });

  it("with keys as bytes, in hex and in base64", () => {
    expect(whats(`x${bytes.toString("latin1")}`)).toEqual(["encryption key k1"]);
    expect(whats(`k1:${bytes.toString("base64")}`)).toEqual(["encryption key k1 in base64"]);
    expect(whats(old.toString("hex"))).toEqual(["encryption key k0 in hex"]);
    expect(whats("0123456789abcdef0123456789abcdef")).toEqual(["subjectKey"]);
  });
});

describe("a scanner", () => {
  const scanner = new Scanner(new Needles([{ kind: "canary", name: "canary 1", value: "Asha Planted" }]));

  it("finds numbers and values in the text's order, and hides them with all that cannot be printed", () => {
    const text = "a 2341 2341 2346\u0000 Asha Planted, 999941057058é";
    expect(scanner.find(text).map(({ kind }) => kind)).toEqual(["aadhaar", "canary", "aadhaar"]);
    expect(scanner.hide(text)).toBe("a XXXX XXXX 2346? ********, XXXX XXXX 7058?");
  });
});
