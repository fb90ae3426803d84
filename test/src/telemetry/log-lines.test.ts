import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LogLines } from "../../../src/telemetry/log-lines.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

function setup() {
  const writes: string[] = [];
  const lines = new LogLines({ write: (text) => void writes.push(text) });
  return { writes, lines };
}

describe("log lines", () => {
  it("of one turn of the event loop are one write, in their order", async () => {
    const { writes, lines } = setup();
    for (const line of ["a\n", "b\n", "c\n"]) lines.write(line);
    await Promise.resolve().then(() => lines.write("d\n"));
    expect(writes).toEqual([]);
    await nextTurn();
    expect(writes).toEqual(["a\nb\nc\nd\n"]);
  });

  it("of the next turn are the next write, and a turn without any is none", async () => {
    const { writes, lines } = setup();
    lines.write("a\n");
    await nextTurn();
    await nextTurn();
    lines.write("b\n");
    await nextTurn();
    expect(writes).toEqual(["a\n", "b\n"]);
  });

  it("are written at once by flush, once, and those that come after it in their own turn", async () => {
    const { writes, lines } = setup();
    lines.write("a\n");
    lines.flush();
    expect(writes).toEqual(["a\n"]);
    lines.flush();
    lines.write("b\n");
    expect(writes).toEqual(["a\n"]);
    await nextTurn();
    await nextTurn();
    expect(writes).toEqual(["a\n", "b\n"]);
  });

  it("that come while others are written are not lost, and do not go before them", async () => {
    const writes: string[] = [];
    const lines: LogLines = new LogLines({
      write: (text) => {
        writes.push(text);
        if (text === "a\n") lines.write("b\n");
      },
    });
    lines.write("a\n");
    await nextTurn();
    await nextTurn();
    expect(writes).toEqual(["a\n", "b\n"]);
  });

  it("are whole lines of a logger, each of them JSON", async () => {
    const { writes, lines } = setup();
    const logger = createLogger("info", lines);
    for (let n = 0; n < 100; n += 1) logger.info({ grace_ms: n }, "worker stopping");
    await nextTurn();
    expect(writes).toHaveLength(1);
    const numbers = writes
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { grace_ms: number }).grace_ms);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
});
