import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import type { LogEvent } from "../../src/telemetry/log/log-event.ts";
import { LOG_EVENTS } from "../../src/telemetry/log/log-events.ts";
import { samplesOf } from "../support/exposition.ts";
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

it("fills no disk while Redis is full: each cause is one line, however often it comes", async () => {
  await using bundle = await startWorkerBundle();
  const { client, log } = bundle;
  const people = Array.from({ length: 200 }, (_, n) => ({ mobile: madeUpMobile(n), csp_id: "agent-1" }));
  await client.submitMany("eko.mobile-otp", people);
  const { metricsPort } = await bundle.startWorker();
  const redis = bundle.redis.client();
  await redis.config("SET", "maxmemory", "1");
  const refused = async (): Promise<number> => {
    const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return samplesOf(page).get('satyapan_redis_refusals_total{word="OOM"}') ?? 0;
  };
  await expect.poll(refused).toBeGreaterThan(20);
  await redis.config("SET", "maxmemory", "0");
  const said = log
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    // What is said again after a minute says how often it came.
    .filter(({ msg, times }) => (EVENTS[String(msg)]?.cause ?? null) !== null && times === undefined)
    .map((line) => {
      const cause = EVENTS[String(line["msg"])]?.cause ?? [];
      const facts = cause.map((name) => (name === "err" ? wordOf(line["err"] as LoggedError) : line[name]));
      return [line["msg"], ...facts].join(" ");
    });
  expect(said).toEqual([...new Set(said)]);
  expect(said.length).toBeLessThan(30);
});

interface LoggedError {
  readonly name: string;
  readonly code?: string;
  readonly redis?: string;
}

function wordOf({ redis, code, name }: LoggedError): string {
  return redis ?? code ?? name;
}
