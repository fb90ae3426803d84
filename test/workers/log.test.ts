import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import type { LogEvent } from "../../src/telemetry/log/log-event.ts";
import { LOG_EVENTS } from "../../src/telemetry/log/log-events.ts";
import { startWorkerBundle } from "../support/worker.ts";

const APART = new Set(["level", "time", "pid", "msg", "times"]);
const EVENTS: Readonly<Record<string, LogEvent>> = LOG_EVENTS;

it("says in a worker's log what the table has, with its fields and no others, also of a rejection and of an outage", async () => {
  await using bundle = await startWorkerBundle();
  const { client, simulator, log } = bundle;
  const running = await bundle.startWorker();
  const ids: string[] = [];
  for (const fault of [null, "temporary-failure", "bad-credentials"] as const) {
    simulator.configure({ faults: fault === null ? [] : [{ fault, times: 1 }] });
    const { id } = await client.submit("eko.mobile-otp", { mobile: madeUpMobile(ids.length), csp_id: "agent-1" });
    ids.push(id);
    await (fault === "bad-credentials" ? expect.poll(() => log.join("")).toContain('"refused"') : client.waitFor(id));
  }
  await running.stop();
  const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.filter(({ msg }) => msg === "attempt finished").length).toBeGreaterThanOrEqual(ids.length);
  for (const line of lines) {
    const event = EVENTS[String(line["msg"])];
    expect(event?.level, String(line["msg"])).toBe(line["level"]);
    const given = Object.keys(line).filter((name) => !APART.has(name));
    expect(
      event?.fields.map((name) => name.replace("?", "")),
      String(line["msg"]),
    ).toEqual(expect.arrayContaining(given));
  }
});
