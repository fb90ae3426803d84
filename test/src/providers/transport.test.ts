import type { ChildProcess } from "node:child_process";
import { execFile } from "node:child_process";
import { createSecureServer } from "node:http2";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, expect, it, vi } from "vitest";
import type { HttpCall } from "../../../src/providers/http.ts";
import { createTransport } from "../../../src/providers/transport.ts";
import { selfSigned } from "./certificate.ts";
import { listen, reply } from "./raw-server.ts";
import { METHODS, answer, closed, setup } from "./transport-bundle.ts";
import { Lived } from "../../support/lived.ts";

const TRANSPORT_FILE = new URL("../../../src/providers/transport.ts", import.meta.url).href;

describe("what a transport writes", () => {
  it("writes the call's own headers, those of HTTP itself, and nothing else", async () => {
    await using bundle = await setup({ onRequest: answer(reply(200, "{}")) });
    await bundle.transport.send({
      ...bundle.call,
      headers: { developer_key: "d", "secret-key": "s", "content-type": "application/json" },
      body: '{"name":"é"}',
    });
    expect(bundle.server.received).toBe(
      [
        "POST /otp?aadhaar_number=999999990019 HTTP/1.1",
        `host: 127.0.0.1:${bundle.server.port}`,
        "connection: keep-alive",
        "developer_key: d",
        "secret-key: s",
        "content-type: application/json",
        "content-length: 13",
        "",
        '{"name":"Ã©"}',
      ].join("\r\n"),
    );
  });

  it.each([
    { method: "GET", length: "" },
    { method: "POST", length: "content-length: 0\r\n" },
  ] as const)("writes a $method without a body", async ({ method, length }) => {
    await using bundle = await setup({ onRequest: answer(reply(200, "{}")) });
    await bundle.transport.send({ ...bundle.call, method, path: "/", headers: {}, body: null });
    const { received, port } = bundle.server;
    expect(received).toBe(`${method} / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: keep-alive\r\n${length}\r\n`);
  });

  it("refuses a call to another origin, whose credentials would go to the wrong provider", async () => {
    await using bundle = await setup({});
    const elsewhere = bundle.transport.send({ ...bundle.call, origin: "http://127.0.0.1:1" });
    await expect(elsewhere).rejects.toThrow(new TypeError(`this transport only sends to ${bundle.server.origin}`));
    expect(bundle.server.sockets).toHaveLength(0);
  });

  it.each([{ headers: { "x-api-key": "planted\r\nkey" } }, { path: "/otp planted" }])(
    "does not write %j, which HTTP cannot carry, and does not repeat it",
    async (flaw) => {
      await using bundle = await setup({});
      expect(await bundle.transport.send({ ...bundle.call, ...flaw })).toEqual({
        kind: "none",
        written: false,
        cause: { kind: "network", code: "UND_ERR_INVALID_ARG" },
      });
    },
  );
});

describe("the connections", () => {
  it("reuses one for calls that follow each other", async () => {
    await using bundle = await setup({ onRequest: answer(reply(200, "{}")) });
    for (let n = 0; n < 50; n++) {
      await bundle.transport.send(bundle.call);
      await setImmediate(); // undici offers a connection again one turn of the event loop after its reply
    }
    expect(bundle.server.requests).toHaveLength(50);
    expect(bundle.server.sockets).toHaveLength(1);
  });

  it("opens as many as there are calls at once, one call on each", async () => {
    const waiting: Socket[] = [];
    await using bundle = await setup({
      onRequest: (socket) => {
        if (waiting.push(socket) === 20) for (const one of waiting) one.write(reply(200, "{}"));
      },
    });
    await Promise.all(Array.from({ length: 20 }, () => bundle.transport.send(bundle.call)));
    expect(new Set(waiting).size).toBe(20);
  });

  it("opens no more than it is allowed to; a call that waits too long is never written, and harms no other", async () => {
    const slow = Promise.withResolvers<Socket>();
    await using bundle = await setup(
      { onRequest: (socket, _, nth) => (nth === 1 ? slow.resolve(socket) : socket.write(reply(200, "{}"))) },
      { connections: 1, timeoutMs: 500 },
    );
    const first = bundle.transport.send(bundle.call);
    const second = bundle.transport.send(bundle.call, performance.now());
    const third = bundle.transport.send({ ...bundle.call, path: "/third" });
    const firstSocket = await slow.promise;
    firstSocket.write(reply(200, "{}"));
    expect(await first).toMatchObject({ status: 200 });
    expect(await second).toEqual({ kind: "none", written: false, cause: { kind: "too late" } });
    expect(await third).toMatchObject({ status: 200 });
    expect(bundle.server.requests).toHaveLength(2);
    expect(bundle.server.requests[1]).toContain("/third");
    expect(bundle.server.sockets).toHaveLength(1);
  });

  it("counts a call's time anew from its write when it had to wait for one", async () => {
    await using bundle = await setup(
      { onRequest: (socket) => void setTimeout(() => socket.write(reply(200, "{}")), 300) },
      { connections: 1, timeoutMs: 500 },
    );
    const calls = [bundle.transport.send(bundle.call), bundle.transport.send(bundle.call)];
    expect(await Promise.all(calls)).toMatchObject([{ status: 200 }, { status: 200 }]); // at 300 ms and at 600 ms
  });

  it("drops an idle one before the server does, so that no call meets its end", async () => {
    await using bundle = await setup({ onRequest: answer(reply(200, "{}", "keep-alive: timeout=3\r\n")) });
    await bundle.transport.send(bundle.call);
    using lived = new Lived();
    await closed(bundle.server.sockets[0]);
    expect(lived.ms).toBeLessThan(2_900);
  });
});

describe("TLS", () => {
  it("refuses a certificate that nobody vouches for, even where the environment says not to check", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    await using bundle = await setupTls();
    expect(await bundle.transport.send(bundle.call)).toEqual({
      kind: "none",
      written: false,
      cause: { kind: "network", code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
    expect(bundle.seen).toEqual([]);
    vi.unstubAllEnvs();
  });

  it("speaks HTTP/1.1, even where HTTP/2 is offered, with a host whose certificate is vouched for", async () => {
    await using bundle = await setupTls();
    const before = getCACertificates("default");
    setDefaultCACertificates([...before, bundle.certificate]);
    try {
      expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 200, text: "{}" });
    } finally {
      setDefaultCACertificates(before);
    }
    expect(bundle.seen).toEqual(["1.1 /otp"]);
  });

  async function setupTls() {
    const certificate = selfSigned("localhost");
    const seen: string[] = [];
    const server = createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
      seen.push(`${request.httpVersion} ${request.url}`);
      response.end("{}");
    });
    const origin = `https://localhost:${await listen(server)}`;
    const transport = createTransport({ origin, timeoutMs: 5_000 });
    return {
      transport,
      seen,
      certificate: certificate.cert,
      call: { method: "POST", origin, path: "/otp", headers: {}, body: "{}" } satisfies HttpCall,
      async [Symbol.asyncDispose]() {
        await transport.destroy();
        server.close();
      },
    };
  }
});

describe("the end of a transport", () => {
  it("lets the calls under way end, takes no more, and closes every connection", async () => {
    const asked = Promise.withResolvers<Socket>();
    await using bundle = await setup({ onRequest: (socket) => asked.resolve(socket) });
    const sending = bundle.transport.send(bundle.call);
    const socket = await asked.promise;
    const closings = [bundle.transport.close(), bundle.transport.close()];
    expect(await bundle.transport.send(bundle.call)).toEqual({
      kind: "none",
      written: false,
      cause: { kind: "closed" },
    });
    socket.write(reply(200, "{}"));
    expect(await sending).toMatchObject({ status: 200 });
    await Promise.all(closings);
    await closed(socket);
    await bundle.transport.close();
  });

  it.each(METHODS)("says of each %s that it broke off whether it was written: one per connection", async (method) => {
    const asked = Promise.withResolvers<void>();
    await using bundle = await setup({ onRequest: () => asked.resolve() }, { connections: 1 });
    const call = { ...bundle.call, method, body: null };
    const calls = [bundle.transport.send(call), bundle.transport.send(call)];
    await asked.promise;
    const closing = bundle.transport.close();
    await bundle.transport.destroy();
    await closing;
    expect(await Promise.all(calls)).toEqual([
      { kind: "none", written: true, cause: { kind: "closed" } },
      { kind: "none", written: false, cause: { kind: "closed" } },
    ]);
  });

  it.each([
    { scheme: "http", after: "close" },
    { scheme: "https", after: "destroy" }, // its handshake is never answered
  ])("leaves nothing that keeps the process alive: $scheme, $after()", async ({ scheme, after }) => {
    const connected = Promise.withResolvers<void>();
    await using bundle = await setup({ onConnection: () => connected.resolve(), onRequest: answer(reply(200, "{}")) });
    const origin = bundle.server.origin.replace("http:", `${scheme}:`);
    const script = `
      import { once } from "node:events";
      const { createTransport } = await import(${JSON.stringify(TRANSPORT_FILE)});
      const origin = ${JSON.stringify(origin)};
      const transport = createTransport({ origin, timeoutMs: 60_000 });
      const sending = transport.send({ method: "POST", origin, path: "/", headers: {}, body: "{}" });
      if (${JSON.stringify(after)} === "destroy") await once(process.stdin, "data");
      else await sending;
      await transport.${after}();
      process.stdin.destroy();
      process.stdout.write((await sending).kind);
    `;
    const child = execFile(process.execPath, ["--input-type=module", "--eval", script], { timeout: 120_000 });
    const result = ended(child);
    await connected.promise;
    child.stdin?.write("go");
    expect(await result).toEqual({ code: 0, output: after === "close" ? "reply" : "none" });
  });
});

describe("createTransport", () => {
  it.each(["undici", "fetch", "http,UNDICI"])(
    "refuses NODE_DEBUG=%s, by which undici would log URLs",
    async (names) => {
      const script = `
      const { createTransport } = await import(${JSON.stringify(TRANSPORT_FILE)});
      try { createTransport({ origin: "http://127.0.0.1:1", timeoutMs: 1_000 }); }
      catch (error) { process.stdout.write(error.code + ": " + error.message); }
    `;
      const child = execFile(process.execPath, ["--input-type=module", "--eval", script], {
        env: { NODE_DEBUG: names },
      });
      expect(await ended(child)).toEqual({
        code: 0,
        output:
          "bad-settings: NODE_DEBUG names undici or fetch, which would log every call's URL with the Aadhaar number in it: unset it",
      });
    },
  );
});

/** Waits for a process to end, and gives what it wrote to stdout. */
async function ended(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = "";
  child.stdout?.on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}
