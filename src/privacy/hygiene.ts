import { url as inspectorUrl } from "node:inspector";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { ProviderName } from "../base/provider-name.ts";
import type { Environment } from "../base/setting.ts";

/** How this process was started, as far as it could give its memory or its secrets away. */
export interface ProcessFacts {
  /** Node's own options: of its command line and of NODE_OPTIONS. */
  readonly options: readonly string[];
  readonly env: Environment;
  /** Where a debugger could connect now. */
  readonly inspector: string | undefined;
  /** /proc/self/limits and /proc/sys/kernel/core_pattern; null where there is none (not Linux). */
  readonly limits: string | null;
  readonly corePattern: string | null;
}

/** A way in which clear values could leave the process. */
export interface Exposure {
  readonly what: "debugger" | "dumps" | "debug output" | "TLS" | "core dumps";
  /** True: a worker that calls a real provider is not started. */
  readonly grave: boolean;
  /** What is wrong, and how to mend it. */
  readonly detail: string;
}

/** Node options that write the heap, the environment or TLS keys to a file, or packets to stderr. */
const DUMPING = /^--(heapsnapshot-signal|heapsnapshot-near-heap-limit|heap-prof|tls-keylog|trace-tls)(=|$)/;
const REPORTING = /^--report-(on-signal|on-fatalerror|uncaught-exception)$/;
/** `NODE_DEBUG` sections that print URLs, headers or bytes; undici's print the query, which for Deepvue is everything. */
const TALKATIVE = /^(https?2?|net|tls|stream.*|undici|fetch|websocket)$/i;
const TALKATIVE_NAMES = ["http", "https", "http2", "net", "tls", "stream", "undici", "fetch", "websocket"];

/** What can be asked of a process. */
export interface ProcessSources {
  readonly env: Environment;
  readonly readFile: (path: string) => string;
}

/** Where each provider is that would be called; null: it is not served. */
export type CalledProviders = Readonly<Record<ProviderName, { readonly baseUrl: URL } | null>>;

export function processFacts({ env, readFile }: ProcessSources): ProcessFacts {
  const fromEnv = (env["NODE_OPTIONS"] ?? "").split(/\s+/).filter((option) => option !== "");
  const readIfThere = (path: string): string | null => {
    try {
      return readFile(path);
    } catch {
      return null;
    }
  };
  return {
    options: [...fromEnv, ...process.execArgv].map((option) => option.replaceAll('"', "").replace(/^[^=]+/, dashes)),
    env,
    inspector: inspectorUrl(),
    limits: readIfThere("/proc/self/limits"),
    corePattern: readIfThere("/proc/sys/kernel/core_pattern")?.trim() ?? null,
  };
}

/** Everything that is open now; none is what a container of docker-compose.yml has. */
export function exposuresOf(facts: ProcessFacts): Exposure[] {
  return [...debuggers(facts), ...dumps(facts), ...debugOutput(facts), ...tls(facts), ...coreDumps(facts)];
}

/** Those for which no worker that calls these providers is started. `allowed`: the setting that lets one be debugged all the same. */
export function refusedFor(
  exposures: readonly Exposure[],
  providers: CalledProviders,
  allowed: boolean,
): readonly Exposure[] {
  return allowed || !callsRealProvider(providers) ? [] : exposures.filter(({ grave }) => grave);
}

/** @throws SatyapanError `bad-settings` with all of `refusedFor` */
export function assertClosed(exposures: readonly Exposure[], providers: CalledProviders, allowed: boolean): void {
  const refused = refusedFor(exposures, providers, allowed);
  if (refused.length === 0) return;
  const list = refused.map(({ detail }) => `\n  ${detail}`).join("");
  throw new SatyapanError(
    ErrorCode.BAD_SETTINGS,
    `real providers would be called from a process that gives clear values away, so nothing was started:${list}`,
  );
}

/** A simulator is on this machine or has a name without a dot (a container's), as `EKO_BASE_URL` takes http only for these. */
export function callsRealProvider({ eko, deepvue }: CalledProviders): boolean {
  return [eko, deepvue].some((provider) => {
    const host = provider?.baseUrl.hostname;
    return host !== undefined && host.includes(".") && !/^127(\.\d+){3}$/.test(host) && !host.endsWith(".localhost");
  });
}

function* debuggers({ options, inspector }: ProcessFacts): Iterable<Exposure> {
  const option = options.find((name) => /^--inspect(-brk|-wait)?(=|$)/.test(name));
  if (option === undefined && inspector === undefined) return;
  const how = option === undefined ? "" : ` (${nameOf(option)})`;
  const detail = `a debugger may connect and read all memory${how}: start without it, and look at NODE_OPTIONS`;
  yield { what: "debugger", grave: true, detail };
}

function* dumps({ options }: ProcessFacts): Iterable<Exposure> {
  for (const option of options.filter((name) => DUMPING.test(name))) {
    const detail = `${nameOf(option)} writes memory or TLS traffic out, with clear values in it: start without it`;
    yield { what: "dumps", grave: true, detail };
  }
  const report = options.find((name) => REPORTING.test(name));
  if (report === undefined || options.includes("--report-exclude-env")) return;
  const detail = `${report} writes the environment to a file, with every secret in it: add --report-exclude-env`;
  yield { what: "dumps", grave: true, detail };
}

function* debugOutput({ env }: ProcessFacts): Iterable<Exposure> {
  const talkative = (env["NODE_DEBUG"] ?? "").split(",").find((section) => isTalkative(section.trim()));
  if (talkative !== undefined) {
    const detail = `NODE_DEBUG=${talkative.trim()} prints calls with what is in them: unset NODE_DEBUG`;
    yield { what: "debug output", grave: true, detail };
  }
  // The package debug, which ioredis prints its commands with: AUTH with the password.
  if ((env["DEBUG"] ?? "").split(/[\s,]+/).some((pattern) => mayMean(pattern, "ioredis:"))) {
    const detail = "DEBUG makes ioredis print every command, the login with its password too: unset DEBUG";
    yield { what: "debug output", grave: true, detail };
  }
}

/** In `NODE_DEBUG` a `*` stands for any letters: `un*` is undici, too. */
function isTalkative(section: string): boolean {
  return TALKATIVE.test(section) || TALKATIVE_NAMES.some((name) => mayMean(section.toLowerCase(), name));
}

/** Whether a pattern may stand for a name that begins so; never for none, though it may be taken for too many. */
function mayMean(pattern: string, name: string): boolean {
  const [stem = "", ...rest] = pattern.split("*");
  return stem.startsWith(name) || (pattern !== "" && name.startsWith(stem) && (rest.length > 0 || name === `${stem}:`));
}

function* tls({ env }: ProcessFacts): Iterable<Exposure> {
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  const detail = "NODE_TLS_REJECT_UNAUTHORIZED=0 lets anyone stand in for a provider: unset it";
  yield { what: "TLS", grave: true, detail };
}

/** No process can switch its own off from within Node. A handler (`|program`) is asked whatever the limit is; systemd's heeds it. */
function* coreDumps({ limits, corePattern }: ProcessFacts): Iterable<Exposure> {
  const soft = /^Max core file size\s+(\S+)/m.exec(limits ?? "")?.[1];
  if (soft === undefined) return;
  const handler = /^\|\s*(\S+)/.exec(corePattern ?? "")?.[1];
  if (soft === "0" && (handler === undefined || handler.endsWith("/systemd-coredump"))) return;
  const detail =
    soft === "0"
      ? `a crash is handed to ${handler}, with all memory in it, though the limit is 0: switch that off (kernel.core_pattern)`
      : "a crash would leave a core file with all memory in it: start with `ulimit -c 0` (Docker: --ulimit core=0, systemd: LimitCORE=0)";
  yield { what: "core dumps", grave: false, detail };
}

function nameOf(option: string): string {
  return option.replace(/=.*/, "");
}

/** Node takes underscores in option names, too. */
function dashes(name: string): string {
  return name.replaceAll("_", "-");
}
