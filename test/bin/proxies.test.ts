import { once } from "node:events";
import { createServer } from "node:http";
import { expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";
import { testKeys } from "../support/client.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";

it("calls go straight to their hosts, whatever proxy variables say (docs/settings.md)", async () => {
  await using dir = await makeTempDir();
  await using redis = await startTestRedis();
  await using simulator = await startSimulator();
  let asked = 0;
  const proxy = createServer((_request, response) => {
    asked++;
    response.writeHead(502).end();
  });
  proxy.on("connect", (_request, socket) => {
    asked++;
    socket.on("error", () => {}); // who asked is killed
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  try {
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    const proxies = { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NODE_USE_ENV_PROXY: "1" };
    const env = { ...simulator.env, ...testKeys(), REDIS_URL: redis.url, ...proxies };
    const ran = await satyapan(["doctor", "--json"], { cwd: dir.path, env });
    expect(ran.stdout).toContain('{"check":"deepvue credentials","status":"ok"');
    expect(simulator.requests.length).toBeGreaterThan(0);
    expect(asked).toBe(0);
    // A program that heeds them does reach that proxy.
    const program = [process.execPath, "-e", `fetch("${simulator.url}").catch(() => {})`] as const;
    await using heeding = new RunningCommand([], { cwd: dir.path, env, program: [...program] });
    await expect.poll(() => asked).toBeGreaterThan(0);
    heeding.kill("SIGKILL");
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
