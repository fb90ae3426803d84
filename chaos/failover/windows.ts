import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import { formatTable } from "../../producers/report/table.ts";
import { parseRedisUrl } from "../../src/redis/url.ts";
import type { Machine } from "../../src/redis/embedded/machine.ts";
import type { NodeSpace } from "./node.ts";
import { ChaosSentinel } from "./sentinel.ts";
import { masterOf, roleOf } from "./topology.ts";

// How many writes that Redis acknowledged are gone after a failover, and what keeping them costs (docs/reliability.md).

const GUARDS = ["none", "min-replicas-to-write 1", "WAIT 1"] as const;
type Guard = (typeof GUARDS)[number];
const EVENTS = ["kill -9", "frozen 9 s"] as const;
type Event = (typeof EVENTS)[number];

/** Between two writes, in ms; they do not wait for one another. */
const EVERY_MS = 5;
const BEFORE_MS = 2_000;
const FROZEN_MS = 9_000;
/** Until one master is left, in ms; then the writes end. */
const SETTLE_MS = 14_000;
const TIMED = 1_000;
/** A replica that does not confirm in time has not confirmed, in ms. */
const WAIT_MS = 100;

interface Window {
  readonly guard: Guard;
  readonly event: Event;
  readonly detector: boolean;
  readonly acknowledged: number;
  readonly lost: number;
  /** From the first to the last that is lost. */
  readonly windowMs: number;
  /** The time that one write takes, in ms. */
  readonly median: number;
  readonly p99: number;
}

export async function measureWindows(
  program: string,
  machine: Machine,
  random: () => number,
  say: (line: string) => void,
): Promise<string> {
  const windows: Window[] = [];
  for (const event of EVENTS) {
    for (const detector of event === "kill -9" ? [true] : [false, true]) {
      for (const guard of GUARDS) {
        const window = await measure(program, machine, random, { guard, event, detector });
        say(`${event}, ${guard}: ${window.lost} of ${window.acknowledged} lost`);
        windows.push(window);
      }
    }
  }
  const number = (title: string) => ({ title, align: "right" }) as const;
  const titles = ["acknowledged", "lost", "within ms", "ms a write: median", "p99"].map(number);
  return formatTable(
    [{ title: "master" }, { title: "writer hears of the failover" }, { title: "guard" }, ...titles],
    windows.map(({ guard, event, detector, acknowledged, lost, windowMs, median, p99 }) => [
      ...[event, detector ? "yes" : "no", guard, acknowledged, lost, windowMs, median.toFixed(2), p99.toFixed(2)],
    ]),
  );
}

async function measure(
  program: string,
  machine: Machine,
  random: () => number,
  { guard, event, detector }: Pick<Window, "guard" | "event" | "detector">,
): Promise<Window> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(machine.tmpDir, "satyapan-windows-"));
  opened.defer(async () => await rm(folder, { recursive: true, force: true }));
  const space: NodeSpace = { program, folder, path: machine.path, home: machine.home };
  const args =
    guard === "min-replicas-to-write 1" ? ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"] : [];
  const topology = opened.use(await ChaosSentinel.start(space, random, args));
  const writer = new Redis({ ...sentinelOptions(topology.url), failoverDetector: detector });
  opened.defer(() => writer.disconnect());
  writer.on("error", () => {});
  const write = guard === "WAIT 1" ? confirmed : plain;

  const costs: number[] = [];
  for (let n = 0; n < TIMED; n++) {
    const startedAt = performance.now();
    await write(writer, `timed-${n}`);
    costs.push(performance.now() - startedAt);
  }
  costs.sort((a, b) => a - b);

  const taken: { readonly key: string; readonly at: number }[] = [];
  let n = 0;
  const timer = setInterval(() => {
    const key = `write-${n++}`;
    write(writer, key).then(
      (isTaken) => void (isTaken && taken.push({ key, at: Date.now() })),
      () => {}, // refused: nothing was promised
    );
  }, EVERY_MS);
  await sleep(BEFORE_MS);
  const master = await topology.holder();
  if (event === "kill -9") await master.kill9();
  else {
    master.freeze();
    await sleep(FROZEN_MS);
    master.thaw();
  }
  await sleep(SETTLE_MS);
  clearInterval(timer);
  const left = topology.nodes.filter((node) => event !== "kill -9" || node !== master);
  // The one that was frozen is the last to hear that it is master no more.
  for (;;) {
    const roles = await Promise.all(left.map(roleOf));
    if (roles.filter(({ isMaster }) => isMaster).length === 1) break;
    await sleep(100);
  }
  const acknowledged = [...taken];
  const found = await (await masterOf(left)).admin.mget(acknowledged.map(({ key }) => key));
  const lost = acknowledged.filter((_, index) => found[index] === null).map(({ at }) => at);
  const windowMs = lost.length === 0 ? 0 : Math.max(...lost) - Math.min(...lost);
  const [median = Number.NaN, p99 = Number.NaN] = [costs[TIMED / 2], costs[Math.floor(TIMED * 0.99)]];
  return { guard, event, detector, acknowledged: acknowledged.length, lost: lost.length, windowMs, median, p99 };
}

async function plain(redis: Redis, key: string): Promise<boolean> {
  return (await redis.set(key, "1")) === "OK";
}

/** The same connection waits until a replica has all that it wrote. */
async function confirmed(redis: Redis, key: string): Promise<boolean> {
  const [set, waited] = (await redis.pipeline().set(key, "1").wait(1, WAIT_MS).exec()) ?? [];
  return set?.[0] === null && waited?.[0] === null && Number(waited[1]) >= 1;
}

function sentinelOptions(url: string): RedisOptions & { readonly replyMapping: "legacy" } {
  const target = parseRedisUrl(url);
  if (target.kind !== "sentinel") throw new TypeError("not the URL of sentinels");
  const retry = (): number => 100;
  const once = { maxRetriesPerRequest: null, retryStrategy: retry, sentinelRetryStrategy: retry } as const;
  return { ...once, replyMapping: "legacy", sentinels: [...target.sentinels], name: target.master };
}
