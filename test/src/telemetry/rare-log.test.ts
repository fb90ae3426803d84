import { describe, expect, it } from "vitest";
import { createLogger } from "../../../src/telemetry/logger.ts";

interface Line {
  readonly level: string;
  readonly queue?: string;
  readonly job?: string;
  readonly times?: number;
}

function setup() {
  const lines: Line[] = [];
  const due: { readonly at: number; readonly run: () => void }[] = [];
  const clock = { ms: 0 };
  const logger = createLogger(
    "debug",
    { write: (line) => void lines.push(JSON.parse(line) as Line) },
    (ms, run) => void due.push({ at: clock.ms + ms, run }),
  );
  const pass = (ms: number): void => {
    clock.ms += ms;
    for (const one of due.filter(({ at }) => at <= clock.ms)) {
      due.splice(due.indexOf(one), 1);
      one.run();
    }
  };
  const refused = (word: string): Error => Object.assign(new Error(`${word} refused`), { name: "ReplyError" });
  const told = () => lines.map(({ level, queue, job, times }) => [level, queue, job, times]);
  return { logger, pass, refused, told, due };
}

describe("what comes by the thousand", () => {
  it("is logged when it begins, and then once a minute with how often it came and the facts of the last", () => {
    const { logger, pass, refused, told } = setup();
    for (let n = 0; n < 45_349; n++)
      logger.rarely.error({ err: refused("OOM"), queue: "q", job: `j${n}` }, "job threw");
    expect(told()).toEqual([["error", "q", "j0", undefined]]);
    pass(60_000);
    expect(told()[1]).toEqual(["error", "q", "j45348", 45_348]);
    logger.rarely.error({ err: refused("OOM"), queue: "q", job: "late" }, "job threw");
    pass(59_999);
    expect(told()).toHaveLength(2);
    pass(1);
    expect(told()[2]).toEqual(["error", "q", "late", 1]);
  });

  it("is said at once again after a minute without it, and nothing is kept of it", () => {
    const { logger, pass, refused, told, due } = setup();
    const say = (): void => logger.rarely.error({ err: refused("OOM"), queue: "q", job: "j" }, "job threw");
    say();
    pass(60_000);
    expect(told()).toHaveLength(1);
    expect(due).toEqual([]);
    say();
    expect(told()).toEqual([told()[0], told()[0]]);
  });

  it("is told apart by its cause, as the table has it: a refusal by its first word, whatever else the error says", () => {
    const { logger, refused, told } = setup();
    for (const [word, queue] of [
      ["OOM command not allowed 1", "a"],
      ["OOM command not allowed 2", "a"],
      ["READONLY", "a"],
      ["OOM", "b"],
    ] as const) {
      logger.rarely.warn({ err: refused(word), queue }, "worker error");
    }
    expect(told().map(([, queue]) => queue)).toEqual(["a", "a", "b"]);
  });

  it("does not grow without bounds where its cause is never the same", () => {
    const { logger, told, pass } = setup();
    for (let n = 0; n < 5_000; n++) logger.rarely.warn({ what: `w${n}` }, "audit files mended");
    expect(told()).toHaveLength(101);
    pass(60_000);
    expect(told().at(-1)?.[3]).toBe(4_899);
  });
});
