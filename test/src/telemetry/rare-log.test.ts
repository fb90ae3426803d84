import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { RareLog } from "../../../src/telemetry/rare-log.ts";

it("logs what happens by the thousand once a minute per cause, with how often it came", () => {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  let now = 0;
  const rare = new RareLog(createLogger("debug", sink), () => now);
  for (; now < 59_999; now += 10) rare.log("warn", "OOM", { queue: "q" }, "refused");
  rare.log("warn", "READONLY", {}, "refused");
  now = 60_000;
  rare.log("warn", "OOM", { queue: "q" }, "refused");
  expect(lines.map(({ level, msg, times }) => [level, msg, times])).toEqual([
    ["warn", "refused", undefined],
    ["warn", "refused", undefined],
    ["warn", "refused", 6_000],
  ]);
});
