import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { HealthServer, type HealthServerOptions } from "../../workers/health-server.ts";

const started = async (options: Partial<HealthServerOptions> = {}) => {
  const server = await HealthServer.listen({
    ...{ port: 0, host: "127.0.0.1", onError: () => {} },
    ...{ metrics: async () => ({ text: "metrics\n", openMetrics: null }), notReady: async () => null },
    ...options,
  });
  return Object.assign(server, { [Symbol.asyncDispose]: async () => await server.close() });
};

describe("the metrics server", () => {
  it("answers a hundred scrapes at once with the work of one", async () => {
    let measured = 0;
    await using server = await started({
      metrics: async () => ({ text: `measured ${++measured}\n`, openMetrics: () => `open ${measured}\n` }),
    });
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    let heard = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (heard += chunk));
    const ask = "GET /metrics HTTP/1.1\r\nHost: a\r\n";
    const both = `${ask}\r\n${ask}Accept: application/openmetrics-text\r\n\r\n`;
    socket.end(both.repeat(50)); // in one piece, so that they are at once
    await once(socket, "close");
    expect(heard.match(/^measured 1$/gm)).toHaveLength(50);
    expect(heard.match(/^open 1$/gm)).toHaveLength(50);
    expect(measured).toBe(1);
  });

  it.each([
    ["//", 404],
    ["http://[", 404],
    ["//:99999", 404],
    ["http://worker:9464/healthz?x=%", 200],
    ["/healthz#x", 200],
  ])("answers the target %s with %i", async (target, status) => {
    await using server = await started();
    const socket = connect(server.port, "127.0.0.1");
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    socket.destroy();
  });

  it("takes GET and HEAD only, and says why it is not ready within a second though nothing answers", async () => {
    await using server = await started({ notReady: async () => await new Promise<never>(() => {}) });
    const url = `http://127.0.0.1:${server.port}`;
    expect((await fetch(`${url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
    const reply = await fetch(`${url}/readyz`);
    expect({ status: reply.status, text: await reply.text() }).toEqual({
      status: 503,
      text: "no answer within 1000 ms\n",
    });
  });

  it("says of a busy port, and of a host that is none of this machine, which setting to change", async () => {
    await using server = await started();
    const { port } = server;
    await expect(started({ port })).rejects.toMatchObject({
      code: "port-taken",
      message: `METRICS_PORT: port ${port} is taken by another process; set another one, or 0 for any free one`,
    });
    await expect(started({ host: "192.0.2.1" })).rejects.toMatchObject({
      code: "bad-settings",
      message: "METRICS_HOST: 192.0.2.1 is no address of this machine; 127.0.0.1 is, 0.0.0.0 is all of them",
    });
    await expect(started({ host: "nowhere.invalid" })).rejects.toThrow(
      /^METRICS_HOST: nowhere\.invalid is no name that can be looked up \(E\w+\); give an address, like 127\.0\.0\.1$/,
    );
  });
});
