/** V8's `.cpuprofile`, as far as it is read here (Chrome DevTools Protocol, `Profiler.Profile`). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node that ran at each sample, and the µs since the one before. */
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: Frame;
  readonly children?: readonly number[];
}

interface Frame {
  readonly functionName: string;
  /** Empty for what is native: `writev`, `(garbage collector)`. */
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

export interface SelfTime {
  readonly what: string;
  readonly us: number;
}

/** The process did nothing. */
const IDLE = "(idle)";
const SHOWN = 25;

/** Functions by the time in themselves alone, the longest first; idle time is left out. */
export function functionsBySelfTime(profile: CpuProfile): SelfTime[] {
  return selfTimes(profile, ({ callFrame }) => nameOf(callFrame));
}

/**
 * The same by who is behind it: time in Node and in native code is that of the package of `node_modules`, or of our own
 * file, that called it.
 */
export function modulesBySelfTime(profile: CpuProfile): SelfTime[] {
  const callers = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
  return selfTimes(profile, (node) => {
    let caller: ProfileNode | undefined = node;
    while (caller !== undefined && !isModule(caller.callFrame)) caller = callers.get(caller.id);
    return caller === undefined ? nameOf(node.callFrame) : moduleOf(caller.callFrame.url);
  });
}

export function formatProfile(profile: CpuProfile, jobs: number): string {
  const list = (title: string, times: readonly SelfTime[]): string[] => [
    `\n${title}, µs/job:`,
    ...times.slice(0, SHOWN).map(({ what, us }) => `${(us / jobs).toFixed(2).padStart(8)}  ${what}`),
  ];
  return [
    ...list("By module, with what it calls in Node", modulesBySelfTime(profile)),
    ...list("By function, itself alone", functionsBySelfTime(profile)),
  ].join("\n");
}

/** Samples are 200 µs apart: in between longer than this the process stood still, or another had its core. In µs. */
const STOPPED_US = 20_000;

function selfTimes(profile: CpuProfile, keyOf: (node: ProfileNode) => string): SelfTime[] {
  const keys = new Map(
    profile.nodes.map((node) => [node.id, node.callFrame.functionName === IDLE ? null : keyOf(node)]),
  );
  const times = new Map<string, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const key = keys.get(id) ?? null;
    // A sample stands for the time until the next one.
    const us = profile.timeDeltas?.[index + 1] ?? 0;
    if (us > STOPPED_US) continue;
    if (key !== null) times.set(key, (times.get(key) ?? 0) + us);
  }
  return [...times].map(([what, us]) => ({ what, us })).toSorted((one, other) => other.us - one.us);
}

function isModule({ url }: Frame): boolean {
  return url !== "" && !url.startsWith("node:") && !url.startsWith("wasm:");
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === "" ? name : `${name} ${placeOf(url)}:${lineNumber + 1}`;
}

/** Without what comes before the package, or all but the last three parts of a path. */
function placeOf(url: string): string {
  const [, inPackage] = /.*\/node_modules\/(.+)/.exec(url) ?? [];
  return inPackage ?? url.split("/").slice(-3).join("/");
}

function moduleOf(url: string): string {
  const [, inPackage] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  return inPackage ?? placeOf(url);
}
