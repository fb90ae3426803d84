import { once } from "node:events";
import { createServer } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { earlyCalls } from "../simulator/early-calls.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { parseQuota } from "../src/limits/parse-quota.ts";
import { Place, type PlaceOptions, QUEUE } from "./quota-place.ts";

/**
 * Proves the gate by hand, with worker processes and the simulator as the witness:
 * `node bench/quota.ts windows --quota 10/1s,100/15s --seconds 30`, `backlog --quota 1/1s`, `halved --quota 20/1s`,
 * `outage --quota 50/1s`, `wasted --quota 50/1s --rounds 10`. Needs a free machine: a witness that is held up counts wrongly, so its own delay is printed.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    quota: { type: "string", default: "10/1s,100/15s" },
    seconds: { type: "string", default: "30" },
    workers: { type: "string", default: "4" },
    jobs: { type: "string", default: "10000" },
    rounds: { type: "string", default: "10" },
    nice: { type: "string", default: "10" },
    main: { type: "string", default: fileURLToPath(new URL("../bin/main.ts", import.meta.url)) },
  },
});
const SECONDS = Number(values.seconds);
const OPTIONS: PlaceOptions = {
  ...{ quota: values.quota, workers: Number(values.workers), nice: values.nice, main: values.main },
};

const print = (facts: unknown): void => void process.stdout.write(`${JSON.stringify(facts)}\n`);

/**
 * Calls too early for a window, and the share used of what could be used from the first call on. A call is too early for certain
 * where it is, however late the witness was with its stamps; where it may have been in time, that is told apart.
 */
function use(place: Place, seconds: number, from: number): unknown {
  const early = earlyCalls(place.simulator.requests, parseQuota(values.quota, "--quota"));
  const calls = place.simulator.requests.filter(({ at }) => at >= from && at < from + seconds * 1_000).length;
  const quota = parseQuota(values.quota, "--quota");
  // A perfect client calls the moment every window has room.
  const times: number[] = [];
  for (;;) {
    const at = Math.max(0, ...quota.map(({ max, ms }) => (times.at(-max) ?? -ms) + ms));
    if (at >= seconds * 1_000) break;
    times.push(at);
  }
  const most = times.length;
  const told = early.map(({ request, before, earlyMs, isCertain }) => ({
    ...{ seq: request.seq, early_ms: earlyMs, is_certain: isCertain },
    before_stamped_late_by_ms_at_most: before.at - (before.came_after ?? before.at),
  }));
  const certain = early.filter(({ isCertain }) => isCertain).length;
  return {
    calls,
    most,
    used: `${((100 * calls) / most).toFixed(2)} %`,
    too_early: certain,
    in_doubt: early.length - certain,
    told,
  };
}

async function windows(): Promise<void> {
  await using place = await Place.start(OPTIONS);
  place.simulator.configure({ quotas: { eko: [...parseQuota(values.quota, "--quota")] }, enforceQuotas: false });
  await place.submit(Number(values.jobs));
  const lag = monitorEventLoopDelay({ resolution: 1 });
  await place.startWorkers();
  while (place.simulator.requests.length === 0) await sleep(5);
  lag.enable();
  await sleep(SECONDS * 1_000);
  lag.disable();
  const [first] = place.simulator.requests;
  print({
    ...(use(place, SECONDS, first?.at ?? 0) as object),
    witness_delay_ms: { p99: lag.percentile(99) / 1e6, max: lag.max / 1e6 },
  });
  const attempts = await place.redis.client().llen(`satyapan:${QUEUE}:permits`);
  print({ pickups: place.pickups, permits_in_list: attempts, requests: place.simulator.requests.length });
  const perSecond = Array.from(
    { length: SECONDS },
    (_, s) => place.simulator.requests.filter(({ at }) => Math.floor((at - (first?.at ?? 0)) / 1_000) === s).length,
  );
  print({ per_second: perSecond.join(" ") });
}

async function backlog(): Promise<void> {
  await using place = await Place.start(OPTIONS);
  await place.submit(Number(values.jobs));
  await place.startWorkers();
  while (place.simulator.requests.length === 0) await sleep(5);
  await sleep(2_000);
  const before = {
    calls: place.simulator.requests.length,
    pickups: place.pickups,
    commands: await place.commandCalls(),
  };
  await sleep(SECONDS * 1_000);
  const calls = place.simulator.requests.length - before.calls;
  print({
    calls,
    pickups_per_call: (place.pickups - before.pickups) / calls,
    redis_commands_per_call: ((await place.commandCalls()) - before.commands) / calls,
  });
}

async function halved(): Promise<void> {
  await using place = await Place.start(OPTIONS);
  const quota = parseQuota(values.quota, "--quota");
  const half = quota.map(({ max, ms }) => ({ max: Math.max(1, Math.floor(max / 2)), ms }));
  place.simulator.configure({ quotas: { eko: [...quota] } });
  await place.submit(Number(values.jobs));
  await place.startWorkers();
  await sleep(5_000);
  const phase = async (name: string, parts: number): Promise<void> => {
    for (let part = 0; part < parts; part += 1) {
      const from = Date.now();
      await sleep(20_000);
      const calls = place.simulator.requests.filter(({ at }) => at >= from);
      const refused = calls.filter(({ status }) => status === 429).length;
      const factor = await place.redis.client().hget(`satyapan:${QUEUE}:control`, "factor");
      print({ phase: name, second: part * 20, calls_per_s: calls.length / 20, refused, factor });
    }
  };
  await phase("whole", 1);
  place.simulator.configure({ quotas: { eko: half } });
  await phase("half", Math.ceil(SECONDS / 20));
  place.simulator.configure({ quotas: { eko: [...quota] } });
  await phase("whole again", Math.ceil(SECONDS / 20));
}

/** Connections that are made and reset stand for a provider that is down; every one is counted. */
async function outage(): Promise<void> {
  await using place = await Place.start(OPTIONS, { OTP_COOLDOWN: "0s" });
  const port = Number(new URL(place.simulator.url).port);
  await place.submit(Number(values.jobs));
  await place.startWorkers();
  await sleep(5_000);
  const before = place.simulator.requests.length;
  await place.simulator.close();
  const downAt = Date.now();
  let tries = 0;
  const tried: number[] = [];
  const refusing = createServer((socket) => {
    tries += 1;
    tried.push(Date.now() - downAt);
    socket.resetAndDestroy();
  });
  refusing.listen(port, "127.0.0.1");
  await once(refusing, "listening");
  const control = place.redis.client();
  while ((await control.hget(`satyapan:${QUEUE}:control`, "breaker")) !== "open") await sleep(10);
  const openedAfter = Date.now() - downAt;
  const atOpening = tries;
  await sleep(SECONDS * 1_000);
  print({ calls_before: before, opened_after_ms: openedAfter, wasted: atOpening, wasted_in_all: tries, tried });
  await new Promise((resolve) => refusing.close(resolve));
  await using again = await startSimulator({ port });
  const backAt = Date.now();
  while (again.requests.length === 0) await sleep(10);
  const resumedAfter = Date.now() - backAt;
  await sleep(10_000);
  const first = again.requests[0]?.at ?? 0;
  const perSecond = Array.from(
    { length: 8 },
    (_, s) => again.requests.filter(({ at }) => Math.floor((at - first) / 1_000) === s).length,
  );
  const ramp = again.requests.slice(0, 10).map(({ at }) => at - first);
  const counts: Record<string, number> = {};
  for (const key of await control.keys(`satyapan:${QUEUE}:job:*`)) {
    const [state = "", reason] = await control.hmget(key, "state", "reason");
    const name = state === "succeeded" || state === "queued" ? state : `${state}: ${reason ?? ""}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  print({ resumed_after_ms: resumedAfter, ramp, calls_per_second: perSecond, states: counts });
}

/**
 * A provider that answers 503 at once, from the first call on or in full work: how many calls are made until the breaker opens.
 * `--rounds` times each, with fresh workers.
 */
async function wasted(): Promise<void> {
  for (const when of ["from the start", "in full work"]) {
    const made: number[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      await using place = await Place.start(OPTIONS, { OTP_COOLDOWN: "0s" });
      const down = { faults: [{ fault: "unavailable" as const }] };
      if (when === "from the start") place.simulator.configure(down);
      await place.submit(200);
      await place.startWorkers();
      if (when === "in full work") while (place.simulator.requests.length < 75) await sleep(1);
      const before = when === "in full work" ? place.simulator.requests.length : 0;
      if (when === "in full work") place.simulator.configure(down);
      const control = place.redis.client();
      while ((await control.hget(`satyapan:${QUEUE}:control`, "breaker")) !== "open") await sleep(5);
      await sleep(1_000);
      const calls = place.simulator.requests.slice(before).filter(({ status }) => status === 503).length;
      made.push(calls);
      print({ provider_down: when, round, calls });
    }
    print({ provider_down: when, workers: values.workers, calls_made: made, most: Math.max(...made) });
  }
}

const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = { windows, backlog, halved, outage, wasted };
const scenario = SCENARIOS[positionals[0] ?? "windows"];
if (scenario === undefined) throw new Error(`one of ${Object.keys(SCENARIOS).join(", ")}`);
await scenario();
