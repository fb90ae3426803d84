import { describe, expect, it } from "vitest";
import { assertClosed, callsRealProvider, exposuresOf, processFacts } from "../../../src/privacy/hygiene.ts";
import { parseSettings } from "../../../src/config/parse-settings.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { testKeys } from "../../support/client.ts";

interface Started {
  readonly env?: Readonly<Record<string, string>>;
  readonly core?: string;
  readonly corePattern?: string;
}

/** What a process started like this gives away, as `what: detail`. */
function exposed({ env = {}, core = "0", corePattern = "core" }: Started = {}): string[] {
  const files: Record<string, string> = {
    "/proc/self/limits": `Limit                     Soft Limit           Hard Limit           Units\nMax core file size        ${core}                unlimited            bytes\n`,
    "/proc/sys/kernel/core_pattern": `${corePattern}\n`,
  };
  const facts = processFacts({ env, readFile: (path) => files[path] ?? "" });
  return exposuresOf(facts).map(({ what, detail }) => `${what}: ${detail}`);
}

function settings(baseUrl: string): Settings {
  const deepvue = { DEEPVUE_CLIENT_ID: "a", DEEPVUE_CLIENT_SECRET: "b", DEEPVUE_BASE_URL: baseUrl };
  const env = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1", ...deepvue };
  return parseSettings(env, { readFile: () => "", operations: [] });
}

describe("a process", () => {
  it("gives nothing away as it is usually started, nor with harmless options", () => {
    expect(exposed()).toEqual([]);
    const env = {
      NODE_OPTIONS: "--disable-sigusr1 --report-on-fatalerror --report-exclude-env --max-old-space-size=512",
      NODE_DEBUG: "timer,module",
      DEBUG: "express:*",
      NODE_TLS_REJECT_UNAUTHORIZED: "1",
    };
    expect(exposed({ env, corePattern: "|/usr/lib/systemd/systemd-coredump %P" })).toEqual([]);
  });

  it.each([
    ["NODE_OPTIONS", "--inspect", "debugger: a debugger may connect and read all memory (--inspect): "],
    [
      "NODE_OPTIONS",
      "--no-warnings --inspect-brk=0.0.0.0:9229",
      "debugger: a debugger may connect and read all memory (--inspect-brk): ",
    ],
    ["NODE_OPTIONS", "--inspect_wait", "debugger: a debugger may connect and read all memory (--inspect-wait): "],
    ["NODE_OPTIONS", "--heapsnapshot-signal=SIGUSR2", "dumps: --heapsnapshot-signal writes memory"],
    ["NODE_OPTIONS", "--heapsnapshot-near-heap-limit=1", "dumps: --heapsnapshot-near-heap-limit writes memory"],
    ["NODE_OPTIONS", '"--tls-keylog=/tmp/keys"', "dumps: --tls-keylog writes memory or TLS traffic out"],
    ["NODE_OPTIONS", "--report-on-signal", "dumps: --report-on-signal writes the environment to a file"],
    ["NODE_DEBUG", "timer,undici", "debug output: NODE_DEBUG=undici prints calls"],
    ["NODE_DEBUG", "http", "debug output: NODE_DEBUG=http prints calls"],
    ["DEBUG", "ioredis:redis", "debug output: DEBUG makes ioredis print every command"],
    ["NODE_DEBUG", "timer,un*", "debug output: NODE_DEBUG=un* prints calls"],
    ["NODE_DEBUG", "*T", "debug output: NODE_DEBUG=*T prints calls"],
    ["DEBUG", "express:* io*", "debug output: DEBUG makes ioredis print every command"],
    ["DEBUG", "*:redis", "debug output: DEBUG makes ioredis print every command"],
    ["DEBUG", "*", "debug output: DEBUG makes ioredis print every command"],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0", "TLS: NODE_TLS_REJECT_UNAUTHORIZED=0 lets anyone stand in for a provider"],
  ])("started with %s=%s gives values away", (name, value, detail) => {
    expect(exposed({ env: { [name]: value } })).toEqual([expect.stringContaining(detail) as string]);
  });

  it("may leave a core file where its limit allows, or where a handler does not ask for the limit", () => {
    expect(exposed({ core: "unlimited" })).toEqual([expect.stringMatching(/^core dumps: .*ulimit -c 0/) as string]);
    expect(exposed({ corePattern: "|/usr/share/apport/apport %p" })).toEqual([
      expect.stringMatching(/^core dumps: a crash is handed to \/usr\/share\/apport\/apport/) as string,
    ]);
  });

  it("is believed where the system has no /proc", () => {
    const readFile = (): string => {
      throw new Error("ENOENT");
    };
    expect(exposuresOf(processFacts({ env: {}, readFile }))).toEqual([]);
  });
});

describe("a worker for a real provider", () => {
  const open = exposuresOf(
    processFacts({ env: { NODE_DEBUG: "undici", NODE_OPTIONS: "--inspect" }, readFile: () => "" }),
  );
  const real = settings("https://production.deepvue.tech");

  it("is refused where clear values would be given away, with all reasons, unless that is allowed", () => {
    expect(() => assertClosed(open, real, false)).toThrow(
      /^real providers would be called .*nothing was started:\n  a debugger may connect .*\n  NODE_DEBUG=undici .*/,
    );
    expect(() => assertClosed(open, real, true)).not.toThrow();
    expect(() => assertClosed([], real, false)).not.toThrow();
  });

  it("is not refused for what the machine does with its crashes", () => {
    const facts = {
      options: [],
      env: {},
      inspector: undefined,
      limits: "Max core file size  5  5",
      corePattern: "core",
    };
    expect(() => assertClosed(exposuresOf(facts), real, false)).not.toThrow();
  });

  it("is another one than that of a simulator", () => {
    for (const url of ["http://127.0.0.1:4010", "http://localhost:1", "http://simulator:4010", "http://a.localhost"]) {
      expect(callsRealProvider(settings(url)), url).toBe(false);
      expect(() => assertClosed(open, settings(url), false)).not.toThrow();
    }
    expect(callsRealProvider(settings("https://127.0.0.1.example.org"))).toBe(true);
  });
});
