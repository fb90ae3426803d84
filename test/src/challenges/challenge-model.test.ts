import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenges } from "../../../src/challenges/challenges.ts";
import { SatyapanError } from "../../../src/base/error.ts";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { isTerminal } from "../../../src/outcomes/state.ts";
import { readTestEnv } from "../../support/env.ts";
import { type ClientBundle, MOBILE_INPUT, startClientBundle } from "../../support/client.ts";
import { Killed, Mortal } from "../../support/mortal.ts";

const QUEUE = queueOf("eko");
const COOLDOWN_MS = 60_000;
const OTP_MS = 600_000;
const MOST_TRIES = 3;

let bundle: ClientBundle;
let count = 0;
beforeAll(async () => {
  bundle = await startClientBundle();
});
afterAll(async () => await bundle[Symbol.asyncDispose]());

type Code = "right" | "wrong" | "other" | "third" | "old";

/** One challenge, with the provider behind it, which counts what it was asked. */
class World {
  readonly first: string;
  readonly #sentAt: number[] = [];
  readonly #calls = new Map<string, number>();
  readonly #played = new Set<string>();
  readonly #wrong = new Map<string, number>();
  #asked = 0;
  #passedMs = 0;
  answered = false;

  constructor(first: string) {
    this.first = first;
  }

  readonly now = (): number => Date.now() + this.#passedMs;

  pass(ms: number): void {
    this.#passedMs += ms;
  }

  /** A process that is killed at that moment. */
  challenges(killedAt: number): Challenges {
    const { settings, dataKeys } = bundle;
    const mortal = new Mortal(killedAt);
    const redis = mortal.wrap(bundle.redis.client(), ["evalsha", "eval"]);
    const deps = { redis, dataKeys, settings, subjectKey: settings.subjectKey, cooldownMs: COOLDOWN_MS, now: this.now };
    const records = mortal.wrap(bundle.records, ["create"]);
    const queues = mortal.wrap(new JobQueues(bundle.redis.client(), Date.now), ["add"]);
    return new Challenges({ ...deps, records, queues });
  }

  /** The code that a person reads out. Each send has its own. */
  code(kind: Code): string {
    const newest = this.#sentAt.length;
    const right = (send: number): string => String(1_000 + send);
    return { right: right(newest), wrong: "2222", other: "3333", third: "4444", old: right(newest - 1) }[kind];
  }

  async give(kind: Code, killedAt: number): Promise<void> {
    const challenges = this.challenges(killedAt);
    const send = await challenges.newest(QUEUE, this.first);
    const before = await challenges.get(QUEUE, send);
    try {
      const { isSame, verify } = await challenges.answer(QUEUE, send, this.code(kind), "library:test");
      // Kept for a send that has not settled, also one that took the place of that.
      if (isSame || verify?.startsWith(`${send}-v`) !== true) return;
      // Only such a challenge takes a new code.
      expect(before).toMatchObject({ state: expect.stringMatching(/open|checking/) as string });
      expect(this.now()).toBeLessThan(before?.deadline ?? 0);
      expect(this.answered).toBe(false);
    } catch (error) {
      if (!(error instanceof Killed) && !(error instanceof SatyapanError)) throw error;
    }
  }

  async resend(killedAt: number): Promise<void> {
    const isTooEarly = this.now() < (this.#sentAt.at(-1) ?? 0) + COOLDOWN_MS;
    try {
      await this.challenges(killedAt).resend(QUEUE, this.first, "library:test");
      expect(isTooEarly && this.#asked === this.#sentAt.length - 1).toBe(false);
      this.#asked++;
    } catch (error) {
      if (error instanceof Killed) this.#asked++;
      else if (!(error instanceof SatyapanError)) throw error;
    }
  }

  /** A worker takes what is queued. */
  async play(): Promise<void> {
    for (const id of await bundle.queued("eko")) {
      if (!id.startsWith(this.first) || this.#played.has(id)) continue;
      this.#played.add(id);
      const { input } = await bundle.client.reveal(id, { reason: "a test" });
      await bundle.begin(id, "eko", `m${count++}`);
      if (/-v\d$/.test(id)) await this.#verify(id, String(input?.["otp"]));
      else await this.#send(id);
    }
  }

  async #send(id: string): Promise<void> {
    const last = this.#sentAt.at(-1);
    // No SMS that nobody asked for, and none within the cooldown.
    if (last !== undefined) expect(this.now()).toBeGreaterThanOrEqual(last + COOLDOWN_MS);
    this.#sentAt.push(this.now());
    expect(this.#sentAt.length).toBeLessThanOrEqual(1 + this.#asked);
    expect(this.#sentAt.length).toBeLessThanOrEqual(3);
    await bundle.finish(id, "eko", "succeeded", { result: { otp_sent: true }, at: this.now() });
  }

  async #verify(id: string, otp: string): Promise<void> {
    const send = id.replace(/-v\d$/, "");
    const key = `${send} ${otp}`;
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1);
    expect(this.#calls.get(key), "calls for one code").toBe(1);
    expect([...this.#calls.keys()].filter((one) => one.startsWith(`${send} `)).length).toBeLessThanOrEqual(MOST_TRIES);
    const n = /-s(\d+)$/.exec(send)?.[1] ?? "1";
    const isRight = otp === String(1_000 + Number(n)) && (this.#wrong.get(send) ?? 0) < MOST_TRIES;
    expect(isRight && this.answered, "answered twice").toBe(false);
    if (isRight) this.answered = true;
    else this.#wrong.set(send, (this.#wrong.get(send) ?? 0) + 1);
    await bundle.finish(id, "eko", isRight ? "succeeded" : "rejected", { reason: isRight ? null : "wrong OTP" });
  }

  /** Whatever happened: a challenge that is open takes the right code. */
  async end(): Promise<void> {
    this.pass(11_000);
    await this.play();
    const challenges = this.challenges(Infinity);
    const send = await challenges.newest(QUEUE, this.first);
    const challenge = await challenges.get(QUEUE, send);
    if (challenge?.state !== "open") return;
    await this.give("right", Infinity);
    await this.play();
    const known = await challenges.get(QUEUE, send);
    const verify = await challenges.verifyOf(QUEUE, send, this.code("right"));
    const state = (await bundle.client.get(verify ?? ""))?.state;
    expect(state !== undefined && isTerminal(state), `${known?.state ?? "gone"}, its verify ${state ?? "gone"}`).toBe(
      true,
    );
    if (known?.state === "answered") expect(this.answered).toBe(true);
  }
}

interface Model {
  readonly nothing: true;
}
type Command = fc.AsyncCommand<Model, World>;

class Step implements Command {
  readonly #name: string;
  readonly #work: (world: World) => Promise<unknown>;

  constructor(name: string, work: (world: World) => Promise<unknown>) {
    this.#name = name;
    this.#work = work;
  }

  check(): boolean {
    return true;
  }

  async run(_model: Model, world: World): Promise<void> {
    await this.#work(world);
  }

  toString(): string {
    return this.#name;
  }
}

const CODE = fc.constantFrom<Code>("right", "wrong", "other", "third", "old");
/** Mostly it lives. */
const KILLED = fc.oneof({ weight: 2, arbitrary: fc.constant(Infinity) }, fc.integer({ min: 1, max: 6 }));
const COMMANDS = [
  fc
    .tuple(CODE, KILLED)
    .map(([code, at]) => new Step(`give ${code}, killed at ${at}`, async (w) => await w.give(code, at))),
  fc
    .tuple(CODE, CODE)
    .map(
      ([one, two]) =>
        new Step(
          `give ${one} and ${two} at once`,
          async (w) => await Promise.all([w.give(one, Infinity), w.give(two, Infinity)]),
        ),
    ),
  KILLED.map((at) => new Step(`resend, killed at ${at}`, async (w) => await w.resend(at))),
  fc
    .tuple(CODE, KILLED)
    .map(
      ([code, at]) =>
        new Step(
          `resend and give ${code} at once`,
          async (w) => await Promise.all([w.resend(at), w.give(code, Infinity)]),
        ),
    ),
  fc.constant(new Step("play", async (w) => await w.play())),
  fc.tuple(CODE, CODE).map(
    ([one, two]) =>
      new Step(`give ${one}, then ${two}`, async (w) => {
        for (const code of [one, two]) {
          await w.give(code, Infinity);
          await w.play();
        }
      }),
  ),
  fc.constantFrom(11_000, COOLDOWN_MS + 1_000, OTP_MS - 20_000, OTP_MS).map(
    (ms) =>
      new Step(`${ms} ms pass`, async (w) => {
        await Promise.resolve(w.pass(ms));
      }),
  ),
];

describe("a challenge", () => {
  const seed = readTestEnv().seed;
  it(`never has a code verified twice, nor another OTP sent unasked, whatever is done and killed (TEST_SEED=${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 14 }), async (commands) => {
        const first = `c${count++}x`;
        await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: first });
        const world = new World(first);
        await fc.asyncModelRun(() => ({ model: { nothing: true as const }, real: world }), commands);
        await world.end();
      }),
      { seed, numRuns: 200, endOnFailure: false },
    );
  });
});
