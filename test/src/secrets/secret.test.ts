import { deepStrictEqual } from "node:assert/strict";
import { Console } from "node:console";
import { once } from "node:events";
import { stringify } from "node:querystring";
import { Writable } from "node:stream";
import { format, inspect, isDeepStrictEqual } from "node:util";
import { deserialize, serialize } from "node:v8";
import { createContext, runInContext } from "node:vm";
import { MessageChannel } from "node:worker_threads";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/secrets/secret.ts";
import { satyapan } from "../../support/command.ts";

const CLEAR = "999941057058";
const EVERYTHING = { depth: null, showHidden: true, showProxy: true, getters: true, maxStringLength: null } as const;

/** Collects what is written to it. */
function sink(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk: unknown, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join("") };
}

/** Every shape in which a secret might come to whoever prints. */
function wrappings(secret: Secret): readonly (readonly [string, unknown])[] {
  return [
    ["itself", secret],
    ["a field", { secret }],
    ["a deep field", { a: { b: { c: { d: { secret } } } } }],
    ["an array", [[secret]]],
    ["a Map", new Map<unknown, unknown>([[secret, secret]])],
    ["a Set", new Set([secret])],
    ["an error's cause", new Error("failed", { cause: secret })],
    ["an error's cause's field", new Error("failed", { cause: { secret } })],
    ["an error of errors", new AggregateError([new Error("one", { cause: secret })])],
    ["a field of an error", Object.assign(new Error("failed"), { secret })],
    ["a hidden field", Object.defineProperty({}, "secret", { value: secret, enumerable: false })],
    ["a symbol's field", { [Symbol("secret")]: secret }],
    ["a proxy", new Proxy(secret, {})],
    ["a copy", Object.assign({}, secret)],
    ["its entries", Object.entries(secret)],
    ["its descriptors", Object.getOwnPropertyDescriptors(secret)],
    ["what inherits from it", Object.create(secret)],
    ["a subclass", new (class Special extends Secret {})(CLEAR, secret.maskName)],
    ["a getter", Object.defineProperty({}, "secret", { get: () => secret, enumerable: true })],
  ];
}

describe.each([new Secret(CLEAR), new Secret(CLEAR, "aadhaar"), new Secret(CLEAR, "mobile")])(
  "a Secret (%s)",
  (secret) => {
    const cases = wrappings(secret);

    it("gives its value to open() alone", () => {
      expect(secret.open()).toBe(CLEAR);
      expect([...Object.keys(secret), ...Reflect.ownKeys(secret)]).not.toContain("value");
      expect(Object.values(secret)).not.toContain(CLEAR);
    });

    it("does not show in String(), template literals, concatenation or joins", () => {
      const texts = [String(secret), [secret].join(","), secret.toLocaleString(), "".concat(String(secret))];
      // oxlint-disable-next-line typescript/restrict-template-expressions, typescript/restrict-plus-operands -- must be harmless where somebody does it
      texts.push(`${secret}`, "" + secret, String.raw`${secret}`);
      texts.push(stringify(Object.fromEntries([["secret", secret as never]])), String(Number(secret)));
      texts.push(String(new URLSearchParams([["secret", String(secret)]])), Object.prototype.toString.call(secret));
      expect(texts.join("\n")).not.toContain(CLEAR);
    });

    it.each(["string", "number", "default"])("does not show as the primitive that %s asks for", (hint) => {
      const date = Date.prototype[Symbol.toPrimitive].bind(secret as never);
      expect(String(date(hint))).not.toContain(CLEAR);
      expect(Object.is(secret.valueOf(), secret)).toBe(true);
    });

    it("does not show in another context's text", () => {
      const context = createContext({ secret });
      const script = "[String(secret), JSON.stringify({ secret }), `${secret}`, Object.values(secret).join()].join()";
      expect(runInContext(script, context)).not.toContain(CLEAR);
    });

    it.each(cases)("does not show in JSON, as %s", (_, value) => {
      expect(JSON.stringify(value) ?? "").not.toContain(CLEAR);
      expect(JSON.stringify({ value }, null, 2)).not.toContain(CLEAR);
    });

    it.each(cases)("does not show in util.inspect, as %s", (_, value) => {
      for (const options of [
        {},
        EVERYTHING,
        { ...EVERYTHING, customInspect: false },
        { ...EVERYTHING, compact: false },
      ]) {
        expect(inspect(value, options)).not.toContain(CLEAR);
      }
    });

    it.each(cases)("does not show in the console's formats, as %s", (_, value) => {
      const { stream, text } = sink();
      const console = new Console({ stdout: stream, inspectOptions: { depth: null } });
      for (const sign of ["%o", "%O", "%j", "%s", "%d", "%i", "%f", "%c"]) {
        console.log(sign, value);
        expect(format(sign, value)).not.toContain(CLEAR);
      }
      console.log(value);
      console.dir(value, EVERYTHING);
      console.table([value]);
      console.error(value);
      expect(text()).not.toContain(CLEAR);
    });

    it.each(cases)("does not show in pino's lines, as %s", (_, value) => {
      const { stream, text } = sink();
      const log = pino({ level: "trace" }, stream);
      log.info({ value }, "as a field");
      // So called, because pino's types check the arguments against the message's signs.
      Reflect.apply(log.info, log, ["as arguments: %s %o %j", value, value, value]);
      Reflect.apply(log.info, log, [value, "as the object"]);
      log.error({ err: value, error: value }, "as an error");
      log.child({ value }).info("as a binding");
      expect(text()).toContain("as a binding");
      expect(text()).not.toContain(CLEAR);
    });

    it.each(cases)("does not show in what a failed assertion says, as %s", (_, value) => {
      const failures: (() => unknown)[] = [
        () => expect(value).toEqual("something else"),
        () => expect({ value }).toStrictEqual({ value: "something else" }),
        () => expect([value]).toContain("something else"),
        () => expect(value).toMatchObject({ other: 1 }),
        () => deepStrictEqual(value, { other: value }),
      ];
      for (const failure of failures) {
        const error = thrownBy(failure);
        expect(inspect(error, EVERYTHING)).not.toContain(CLEAR);
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(CLEAR);
      }
    });

    it.each(cases)("does not show with serializers, formatters and mixins of pino, as %s", (_, value) => {
      const { stream, text } = sink();
      const serializers = { value: (given: unknown) => given, err: pino.stdSerializers.errWithCause };
      const log = pino({ serializers, mixin: () => ({ value }), formatters: { log: (line) => ({ ...line }) } }, stream);
      log.info({ value, err: value }, "with serializers");
      log.error(Object.assign(new Error("failed", { cause: value }), { value }));
      expect(text()).toContain("with serializers");
      expect(text()).not.toContain(CLEAR);
    });

    it("is lost, not told, when it is sent to another thread", async () => {
      const { port1, port2 } = new MessageChannel();
      const got = once(port2, "message");
      port1.postMessage({ secret });
      expect(inspect(await got, EVERYTHING)).not.toContain(CLEAR);
      port1.close();
    });

    it("is lost, not told, when it is cloned or serialised", () => {
      const copies: unknown[] = [
        structuredClone(secret),
        deserialize(serialize({ secret })),
        Object.assign({}, secret),
      ];
      for (const copy of copies) expect(inspect(copy, { ...EVERYTHING, customInspect: false })).not.toContain(CLEAR);
      expect(serialize(secret).includes(CLEAR)).toBe(false);
    });
  },
);

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("a process that dies of an error with a Secret", () => {
  const source = new URL("../../../src/secrets/secret.ts", import.meta.url).href;
  it.each([
    ["thrown itself", "throw secret"],
    ["in a thrown error", "throw Object.assign(new Error('failed', { cause: secret }), { secret })"],
    ["as a rejection's reason", "void Promise.reject(secret); await new Promise(() => setTimeout(() => {}, 50))"],
    [
      "in a warning",
      "process.emitWarning(Object.assign(new Error('careful', { cause: secret }), { secret })); throw 1",
    ],
    ["in the message of a type error", "null[secret]"],
  ])("does not show it, %s", async (_, code) => {
    const script = `import { Secret } from "${source}"; const secret = new Secret("${CLEAR}", "aadhaar"); ${code};`;
    const args = ["--trace-uncaught", "--input-type=module", "--eval", script] as const;
    const { code: exit, stderr } = await satyapan([], { cwd: ".", program: [process.execPath, ...args] });
    expect(exit).not.toBe(0);
    // Node quotes the line of the source that threw, which here has the value itself in it.
    expect(stderr.replaceAll(script, "")).not.toContain(CLEAR);
  });
});

describe("two Secrets", () => {
  // Whoever compares Secrets compares what they open to.
  it("are equal to assertions and isDeepStrictEqual whatever they hold: nothing looks inside", () => {
    expect(isDeepStrictEqual(new Secret("one"), new Secret("another"))).toBe(true);
    expect(new Secret("one")).toEqual(new Secret("another"));
  });
});

describe("a Secret as a key", () => {
  it("is made once of its base64, and shows nothing of it", () => {
    const bytes = Buffer.from(CLEAR.repeat(3));
    const secret = new Secret(bytes.toString("base64"));
    const key = secret.asKey();
    expect(key.export()).toEqual(bytes);
    expect(secret.asKey()).toBe(key);
    for (const shown of [inspect(key, EVERYTHING), inspect(secret, EVERYTHING), JSON.stringify({ key, secret })]) {
      expect(shown).not.toContain(CLEAR);
      expect(shown).not.toContain(secret.open());
    }
  });
});

describe("the check itself", () => {
  it("finds a value that is not a Secret", () => {
    const { stream, text } = sink();
    pino(stream).info({ value: CLEAR });
    expect(text()).toContain(CLEAR);
    expect(inspect({ a: { value: CLEAR } }, EVERYTHING)).toContain(CLEAR);
  });
});

describe("what a Secret shows", () => {
  it.each([
    [new Secret("999941057058", "aadhaar"), "XXXX XXXX 7058"],
    [new Secret("9876543210", "mobile"), "XXXXXX3210"],
    [new Secret("123456"), "********"],
  ])("is its mask, %s", (secret, shown) => {
    expect(String(secret)).toBe(shown);
    expect(JSON.stringify({ secret })).toBe(JSON.stringify({ secret: shown }));
    expect(inspect(secret)).toBe(`Secret(${shown})`);
  });
});
