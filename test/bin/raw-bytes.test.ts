import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { seededRandom } from "../../simulator/draw.ts";
import { testKeys } from "../support/client.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { rawCases, sendRaw } from "../support/raw-bytes.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const { seed } = readTestEnv();
const CASES = 250;
/** Longer than a listener waits for a head that does not come, and for a connection on which nothing moves. */
const HUNG_UP_MS = 30_000;

it(`whatever a socket sends, worker and simulator live and hang up on the slow (TEST_SEED=${seed})`, async () => {
  await using dir = await makeTempDir();
  await using redis = await startTestRedis();
  const place = { cwd: dir.path };
  await using simulator = new RunningCommand(["simulator", "--port", "0"], place);
  const said = await simulator.said(/Listening on http:\/\/127\.0\.0\.1:\d+/);
  const url = said.slice("Listening on ".length);
  const lines = await (await fetch(`${url}/_simulator/environment`)).text();
  const provided = [...lines.matchAll(/^export (\w+)=(?:'([^']*)'|(\S+))$/gm)].map(([, name, quoted, bare]) => [
    name,
    quoted ?? bare,
  ]);
  const env = {
    ...(Object.fromEntries(provided) as Record<string, string>),
    ...testKeys(),
    REDIS_URL: redis.url,
    METRICS_PORT: "0",
  };
  await using worker = new RunningCommand(["worker"], { ...place, env });
  const metricsPort = Number((await worker.said(/"metrics_port":\d+/)).split(":")[1]);

  const held: Socket[] = [];
  for (const [port, salt] of [
    [metricsPort, 0],
    [Number(new URL(url).port), 1],
  ] as const) {
    const cases = rawCases(seededRandom(seed + salt), CASES);
    for (let at = 0; at < cases.length; at += 50) {
      const sent = await Promise.all(cases.slice(at, at + 50).map(async (one) => await sendRaw(port, one)));
      held.push(...sent.filter((socket) => socket !== null));
    }
    const half = await sendRaw(port, { pieces: [Buffer.from("GET /metrics HTTP/1.1\r\nHost:")], leave: "hold" });
    if (half === null) throw new Error("it was not held");
    await expect.poll(() => half.closed, { timeout: HUNG_UP_MS, message: `port ${port} hangs up` }).toBe(true);
  }
  for (const socket of held) socket.destroy();

  expect((await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status).toBe(200);
  const input = '{"mobile":"9123456789","csp_id":"9123456789"}';
  const ran = await satyapan(["submit", "eko.mobile-otp", "--wait", "2m", "--input", input], {
    cwd: dir.path,
    env,
  });
  expect(ran).toMatchObject({ code: 0 });
  const { code, stderr } = await worker.stop();
  expect(stderr).not.toContain("a fault of our own");
  expect(code).toBe(0);
  expect(await simulator.stop()).toMatchObject({ code: 0 });
});
