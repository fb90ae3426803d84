import { type EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "../fleet.ts";
import { ChaosCluster } from "./cluster.ts";
import { ChaosPair } from "./pair.ts";
import { moveSlot } from "./slots.ts";
import type { RedisKind, Topology } from "./topology.ts";

/** What a scenario works on. */
export interface Stage {
  readonly topology: Topology;
  readonly fleet: Fleet;
  /** `ready`: one more worker takes jobs. */
  readonly readied: EventEmitter;
}

export interface Scenario {
  readonly what: string;
  readonly kinds: readonly RedisKind[];
  /** Resolves when it is over. Where it says how long nobody could have written, in ms, that counts beside what the probe saw. */
  readonly act: (stage: Stage) => Promise<number | void>;
  /** Asynchronous replication may lose what one master alone had taken. */
  readonly mayLose?: true;
  /** Every node takes writes only while a replica follows it. */
  readonly minReplicas?: true;
  /** The time that the provider takes, in ms. */
  readonly latencyMs?: { readonly min: number; readonly max: number };
  /** What the n-th worker is told, for `worker.ts`. */
  readonly told?: (n: number) => object;
}

const ALL: readonly RedisKind[] = ["standalone", "sentinel", "cluster"];
const REPLICATED: readonly RedisKind[] = ["sentinel", "cluster"];
/** How long Redis is full, and refuses writes; ms. */
const FULL_MS = 9_000;
const REFUSED_MS = 5_000;
/** More than any master here has. */
const TOO_MANY_REPLICAS = 5;
const SLOW_MOVE_MS = 15_000;
/** Between two workers that are replaced, in ms. */
const RESTART_EVERY_MS = 4_000;
const RESTARTS = 5;
/** How far the workers' clocks are off, in ms. */
const CLOCK_MS = 120_000;

const killMaster = async ({ topology }: Stage): Promise<void> => (await topology.holder()).kill9();

function freezeMaster(ms: number): Scenario["act"] {
  return async ({ topology }) => {
    const master = await topology.holder();
    master.freeze();
    await sleep(ms);
    master.thaw();
  };
}

/** A setting of the master's for a time. */
function setFor(name: string, value: string | number, ms: number): Scenario["act"] {
  return async ({ topology }) => {
    const { admin } = await topology.holder();
    const before = (await admin.config("GET", name)) as readonly string[];
    await admin.config("SET", name, value);
    await sleep(ms);
    await admin.config("SET", name, before[1] ?? "0");
  };
}

function move(overMs: number): Scenario["act"] {
  return async ({ topology }) => {
    if (!(topology instanceof ChaosCluster)) throw new TypeError("only a cluster has slots");
    const startedAt = performance.now();
    await moveSlot(topology, overMs);
    // The scripts of a queue need all their keys in one place.
    return performance.now() - startedAt;
  };
}

async function moveSlots(stage: Stage): Promise<number> {
  const first = await move(0)(stage);
  await sleep(RESTART_EVERY_MS);
  const second = await move(0)(stage);
  return Math.max(Number(first), Number(second));
}

async function swap({ topology }: Stage): Promise<void> {
  if (!(topology instanceof ChaosPair)) throw new TypeError("only a pair has one address");
  await topology.swap();
}

async function rollingRestart({ fleet, readied }: Stage): Promise<void> {
  for (let n = 0; n < RESTARTS; n++) {
    const next = once(readied, "ready");
    fleet.relieve();
    await Promise.all([next, sleep(RESTART_EVERY_MS)]);
  }
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  calm: { what: "nothing happens", kinds: ALL, act: async () => sleep(RESTART_EVERY_MS) },
  "move-slots": { what: "the queue's slot moves to another master and back", kinds: ["cluster"], act: moveSlots },
  "move-slot-slowly": { what: "the queue's slot moves in 15 s", kinds: ["cluster"], act: move(SLOW_MOVE_MS) },
  "kill-master": { what: "kill -9 of the queue's master", kinds: REPLICATED, act: killMaster, mayLose: true },
  "kill-master-min-replicas": {
    // A Cluster's master has but one replica: as master that takes nothing until the killed one is back.
    ...{ what: "the same, min-replicas-to-write 1", kinds: ["sentinel"], act: killMaster, mayLose: true },
    minReplicas: true,
  },
  "kill-master-slow-provider": {
    ...{ what: "the same, calls take 1 to 3 s", kinds: REPLICATED, act: killMaster, mayLose: true },
    latencyMs: { min: 1_000, max: 3_000 },
  },
  "freeze-master-20s": {
    ...{ what: "the queue's master is frozen for 20 s", kinds: REPLICATED, act: freezeMaster(20_000), mayLose: true },
  },
  "freeze-master-9s": {
    ...{
      what: "frozen for 9 s: two are master for a while",
      kinds: REPLICATED,
      act: freezeMaster(9_000),
      mayLose: true,
    },
  },
  "freeze-master-9s-min-replicas": {
    ...{ what: "the same, min-replicas-to-write 1", kinds: REPLICATED, act: freezeMaster(9_000), mayLose: true },
    minReplicas: true,
  },
  full: { what: "Redis is full for 9 s", kinds: ALL, act: setFor("maxmemory", "1mb", FULL_MS) },
  "refuse-writes": {
    ...{ what: "Redis refuses writes for 5 s", kinds: ALL },
    act: setFor("min-replicas-to-write", TOO_MANY_REPLICAS, REFUSED_MS),
  },
  "behind-one-address": {
    ...{ what: "replica and master change places, connections stay", kinds: ["standalone"], act: swap, mayLose: true },
  },
  "rolling-restart": { what: "five workers one after the other", kinds: ALL, act: rollingRestart },
  clocks: {
    ...{ what: "workers' clocks two minutes ahead and behind", kinds: ALL, act: async () => sleep(RESTART_EVERY_MS) },
    told: (n) => ({ clockOffsetMs: n % 2 === 0 ? CLOCK_MS : -CLOCK_MS }),
  },
};
