import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../../producers/doctor/diagnose.ts";
import { startSimulator, type Simulator } from "../../../simulator/simulator.ts";
import { testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";

let dir: TempDir;
let redis: TestRedis;
let simulator: Simulator;
beforeAll(async () => {
  dir = await makeTempDir();
  redis = await startTestRedis();
  simulator = await startSimulator();
});
afterAll(async () => {
  await simulator.close();
  await redis.stop();
  await dir[Symbol.asyncDispose]();
});

interface Diagnosis {
  readonly code: number | null;
  readonly ok: boolean;
  /** `status: detail` by check. */
  readonly findings: Readonly<Record<string, string>>;
}

async function doctor(env: Readonly<Record<string, string>> = {}): Promise<Diagnosis> {
  const all = { ...testKeys(), REDIS_URL: redis.url, ...env };
  const { code, stdout, stderr } = await satyapan(["doctor", "--json"], { cwd: dir.path, env: all });
  expect(stderr).toBe("");
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  return {
    code,
    ok,
    // Worst first: of one check the worst.
    findings: Object.fromEntries(
      findings.toReversed().map(({ check, status, detail }) => [check, `${status}: ${detail}`]),
    ),
  };
}

/** A provider that answers everything with this status, and a clock that is ahead by so much. */
async function startProvider(status: number, aheadMs: number) {
  const server = createServer((_request, response) => {
    response.writeHead(status, { date: new Date(Date.now() + aheadMs).toUTCString() }).end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { ...simulator.env, EKO_BASE_URL: url, DEEPVUE_BASE_URL: url },
    [Symbol.dispose]: () => void server.close(),
  };
}

describe("satyapan doctor", () => {
  it("finds nothing wrong with the simulator's settings, asks for nobody's OTP, and prints a table", async () => {
    const env = { ...testKeys(), REDIS_URL: redis.url, ...simulator.env };
    const { code, stdout, stderr } = await satyapan(["doctor"], { cwd: dir.path, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^ok +settings +complete for eko and deepvue$/m);
    expect(stdout).toMatch(/^ok +redis +(redis|valkey) [\d.]+ at \S+, noeviction, AOF on$/m);
    expect(stdout).toMatch(/^(ok +process +no debugger, no dumps, no debug output|warning +core dumps .*)$/m);
    expect(stdout).toMatch(/^ok +signature +the published test vector is met$/m);
    expect(stdout).toMatch(/^ok +eko credentials +127\.0\.0\.1:\d+ took them \(HTTP 200\)$/m);
    expect(stdout).toMatch(/^ok +eko clock +agrees with ours$/m);
    expect(simulator.outbox).toEqual([]);
    const secrets = [env.EKO_ACCESS_KEY, env.EKO_DEVELOPER_KEY, env.DEEPVUE_CLIENT_SECRET];
    for (const secret of secrets) expect(stdout).not.toContain(secret);
  });

  it("is content without a provider, and says what that means", async () => {
    expect(await doctor()).toMatchObject({
      code: 0,
      ok: true,
      findings: {
        settings: "warning: no provider has settings: a worker would refuse to start (producers need none)",
        redis: expect.stringMatching(/^ok: /) as string,
      },
    });
  });

  it("tells an outbox of the audit log in whose place something else stands, and what to do", async () => {
    await redis.client().set("satyapan:{deepvue-0}:audit", "something else");
    const { code, findings } = await doctor();
    await redis.client().del("satyapan:{deepvue-0}:audit");
    expect(code).toBe(1);
    expect(findings["audit log"]).toMatch(
      /^failed: .*satyapan:\{deepvue-0\}:audit holds something else than entries: calls go on .* \(RENAME\)$/,
    );
  });

  it("tells a key that Eko refuses", async () => {
    const { code, ok, findings } = await doctor({ ...simulator.env, EKO_ACCESS_KEY: "another-key" });
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    expect(findings["eko credentials"]).toMatch(
      /^failed: 127\.0\.0\.1:\d+ refused them \(HTTP 403\): check EKO_DEVELOPER_KEY and EKO_ACCESS_KEY, /,
    );
    expect(JSON.stringify(findings)).not.toContain("another-key");
  });

  it("tells a clock that is an hour off", async () => {
    using provider = await startProvider(200, 3_600_000);
    const { code, findings } = await doctor(provider.env);
    expect(code).toBe(1);
    expect(findings["eko clock"]).toMatch(
      /^failed: 3(599|600) s ahead of ours: set this machine's clock \(NTP\), or signatures are refused$/,
    );
    expect(findings["deepvue clock"]).toMatch(/^failed: /);
    expect(findings["deepvue credentials"]).toMatch(/^ok: /);
  });

  it("tells credentials that Deepvue refuses, and admits what an answer does not tell", async () => {
    using refusing = await startProvider(401, 0);
    const refused = await doctor(refusing.env);
    expect(refused.findings["deepvue credentials"]).toMatch(
      /^failed: \S+ refused them \(HTTP 401\): check DEEPVUE_CLIENT_ID and DEEPVUE_CLIENT_SECRET, /,
    );
    using broken = await startProvider(500, 0);
    const { code, findings } = await doctor(broken.env);
    expect(code).toBe(0);
    expect(findings["deepvue credentials"]).toMatch(/^warning: \S+ answered HTTP 500, which tells nothing about them$/);
  });

  it("tells a provider that does not answer", async () => {
    const { code, findings } = await doctor({ ...simulator.env, EKO_BASE_URL: "http://127.0.0.1:1" });
    expect(code).toBe(3);
    expect(findings["eko credentials"]).toMatch(
      /^failed: no reply from 127\.0\.0\.1:1 \(.*ECONNREFUSED\): check EKO_BASE_URL and the network$/,
    );
  });

  it("tells settings that are wrong, and looks no further", async () => {
    const { code, findings } = await doctor({ EKO_QUOTA: "many" });
    expect(code).toBe(2);
    expect(Object.keys(findings)).toEqual(["settings"]);
    expect(findings["settings"]).toContain("EKO_QUOTA must be windows of calls/duration");
  });

  it("tells a process that would write its environment to a file, and which user of Redis it is", async () => {
    const { code, findings } = await doctor({ NODE_OPTIONS: "--report-on-signal" });
    expect(code).toBe(0);
    expect(findings["dumps"]).toMatch(
      /^warning: --report-on-signal writes the environment to a file, .*--report-exclude-env/,
    );
    expect(findings["redis user"]).toMatch(/^ok: default may do everything, also what no role needs/);
  });

  it("tells a Redis that is away, would evict, or keeps no AOF", async () => {
    const away = await doctor({ REDIS_URL: "redis://127.0.0.1:1" });
    expect(away.code).toBe(3);
    expect(away.findings["redis"]).toMatch(
      /^failed: Redis at redis:\/\/127\.0\.0\.1:1\/0 cannot be reached: .*ECONNREFUSED/,
    );

    await using other = await startTestRedis();
    const admin = other.client();
    await admin.config("SET", "appendonly", "no");
    const volatile = await doctor({ REDIS_URL: other.url });
    expect(volatile.code).toBe(0);
    expect(volatile.findings["redis"]).toMatch(/^warning: Redis keeps no AOF/);
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    const evicting = await doctor({ REDIS_URL: other.url });
    expect(evicting.code).toBe(3);
    expect(evicting.findings["redis"]).toMatch(
      /^failed: Redis has maxmemory-policy allkeys-lru .*set maxmemory-policy noeviction/,
    );
  });

  it("tells a Redis that is full, by a write that it tries, and where jobs wait for nobody", async () => {
    await using other = await startTestRedis();
    const admin = other.client();
    await admin.hset("bull:{eko-0}:meta", "paused", 1);
    await admin.zadd("satyapan:{eko-0}:unknown", Date.now(), "lost");
    await admin.hset("satyapan:{eko-0}:job:lost", "state", "unknown");
    await admin.lpush("bull:{eko-0}:wait", "j-one");
    const idle = await doctor({ ...simulator.env, REDIS_URL: other.url });
    expect(idle.code).toBe(1);
    expect(idle.findings["eko workers"]).toBe(
      "failed: none is running, and 1 job waits: start one with `satyapan worker`",
    );
    expect(idle.findings["deepvue workers"]).toBe("warning: none is running: start one with `satyapan worker`");
    expect(idle.findings["eko queue"]).toMatch(
      /^failed: the queue is paused in BullMQ since .+`satyapan provider resume/,
    );
    expect(idle.findings["eko unknown"]).toMatch(/^warning: 1 job is unknown \(`satyapan unknown list`\): /);
    expect(idle.findings["redis memory"]).toMatch(/^ok: [\d.]+ MB of [\d.]+ GB \(the machine\) are used$/);
    await admin.config("SET", "maxmemory", "1mb");
    const full = await doctor({ ...simulator.env, REDIS_URL: other.url });
    expect(full.code).toBe(3);
    expect(full.findings["redis writes"]).toBe(
      "failed: Redis refuses writes (OOM): its memory is full: raise maxmemory",
    );
    expect(full.findings["redis memory"]).toMatch(/^warning: .+ \(maxmemory\) are used, \d+ %: raise maxmemory/);
  });
});
