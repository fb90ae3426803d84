import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NoReplyCause, noReplyWord } from "../../../src/outcomes/no-reply.ts";
import { noReply } from "../../../src/providers/exchange.ts";
import type { HttpReply } from "../../../src/providers/http.ts";
import { createTransport } from "../../../src/providers/transport.ts";
import type { RawBehaviour } from "./raw-server.ts";
import { reply, startRawServer } from "./raw-server.ts";
import { METHODS, closed, setup } from "./transport-bundle.ts";

/** What the server saw decides whether `written` told the truth: false must mean that not one byte came. */
describe("whether anything was written", () => {
  const sent = (cause: NoReplyCause) => noReply(true, cause);
  const notSent = (cause: NoReplyCause) => noReply(false, cause);

  it("was not, when the connection is refused", async () => {
    const gone = await startRawServer({});
    await gone[Symbol.asyncDispose]();
    await using bundle = await setup({}, { origin: gone.origin });
    const result = await bundle.transport.send({ ...bundle.call, origin: gone.origin });
    expect(result).toEqual(notSent({ kind: "network", code: "ECONNREFUSED" }));
  });

  it("was not, when the name has no address", async () => {
    const origin = "http://no-such-provider.invalid";
    await using bundle = await setup({}, { origin });
    const result = await bundle.transport.send({ ...bundle.call, origin });
    expect(result).toMatchObject({ kind: "none", written: false });
    // EAI_AGAIN or a timeout where there is no name server to say so.
    expect(result.kind === "none" && noReplyWord(result.cause)).toMatch(
      /^(ENOTFOUND|EAI_AGAIN|timeout|UND_ERR_CONNECT_TIMEOUT)$/,
    );
  });

  it("was not, when the other side does not speak TLS", async () => {
    await using bundle = await setup({ onConnection: (socket) => socket.end(reply(400, "no")) }, {});
    const origin = bundle.server.origin.replace("http:", "https:");
    const transport = createTransport({ origin, timeoutMs: 5_000 });
    expect(await transport.send({ ...bundle.call, origin })).toEqual(
      notSent({ kind: "network", code: "ERR_SSL_WRONG_VERSION_NUMBER" }),
    );
    await transport.destroy();
    expect(bundle.server.received).not.toContain("HTTP");
  });

  it("was not, when the handshake takes longer than the limit, and is not afterwards", async () => {
    await using bundle = await setup({});
    const origin = bundle.server.origin.replace("http:", "https:");
    const transport = createTransport({ origin, timeoutMs: 1_000 });
    expect(await transport.send({ ...bundle.call, origin })).toEqual(notSent({ kind: "timeout" }));
    await transport.close();
    await closed(bundle.server.sockets[0]);
  });

  it("was not, when all was aborted before", async () => {
    await using bundle = await setup({});
    bundle.transport.abort();
    expect(await bundle.transport.send(bundle.call)).toEqual(notSent({ kind: "cancelled" }));
    expect(bundle.server.sockets).toHaveLength(0);
  });

  it("was not, when all is aborted while the connection is made", async () => {
    const connected = Promise.withResolvers<void>();
    await using bundle = await setup({ onConnection: () => connected.resolve() });
    const origin = bundle.server.origin.replace("http:", "https:");
    const transport = createTransport({ origin, timeoutMs: 5_000 });
    const sending = transport.send({ ...bundle.call, origin });
    await connected.promise;
    transport.abort();
    expect(await sending).toEqual(notSent({ kind: "cancelled" }));
    await transport.close();
  });

  it("was, when all is aborted while the reply is awaited, which ends only those under way", async () => {
    const asked = Promise.withResolvers<void>();
    await using bundle = await setup({ onRequest: () => asked.resolve() }, { connections: 1 });
    const calls = [bundle.transport.send(bundle.call), bundle.transport.send(bundle.call)];
    await asked.promise;
    bundle.transport.abort();
    expect(await Promise.all(calls)).toEqual([sent({ kind: "cancelled" }), notSent({ kind: "cancelled" })]);
    await closed(bundle.server.sockets[0]);
    await bundle.transport.close();
    expect(bundle.server.requests).toHaveLength(1);
  });

  it("was, when no reply comes in time, counted from the write", async () => {
    await using bundle = await setup({}, { timeoutMs: 1_000 });
    const start = performance.now();
    expect(await bundle.transport.send(bundle.call)).toEqual(sent({ kind: "timeout" }));
    expect(performance.now() - start).toBeGreaterThanOrEqual(999);
    expect(bundle.server.requests).toHaveLength(1);
    await closed(bundle.server.sockets[0]);
  });

  it.each(METHODS)("was, when the connection is reset after a %s came, which is not repeated", async (method) => {
    await using bundle = await setup({ onRequest: (socket) => socket.resetAndDestroy() });
    const body = method === "GET" ? null : "{}";
    expect(await bundle.transport.send({ ...bundle.call, method, body })).toEqual(
      sent({ kind: "network", code: "ECONNRESET" }),
    );
    expect(bundle.server.requests).toHaveLength(1);
  });

  it.each(METHODS)("was, when a kept connection ends under a %s, which is not repeated", async (method) => {
    await using bundle = await setup({
      onRequest: (socket, _, nth) => (nth === 1 ? socket.write(reply(200, "{}")) : socket.destroy()),
    });
    const call = { ...bundle.call, method, body: method === "GET" ? null : "{}" };
    await bundle.transport.send(call);
    await setImmediate();
    expect(await bundle.transport.send(call)).toEqual(sent({ kind: "network", code: "UND_ERR_SOCKET" }));
    expect(bundle.server.requests).toHaveLength(2);
    expect(bundle.server.sockets).toHaveLength(1);
  });

  it("is said of a connection that is reset before anything is read, since nobody can know", async () => {
    await using bundle = await setup({ onConnection: (socket) => socket.resetAndDestroy() });
    const result = await bundle.transport.send(bundle.call);
    expect(result).toEqual(
      expect.toBeOneOf([
        sent({ kind: "network", code: "ECONNRESET" }),
        notSent({ kind: "network", code: "ECONNRESET" }),
      ]),
    );
  });

  it.each<{ what: string; wire: string; cause: NoReplyCause }>([
    { what: "no HTTP", wire: "SSH-2.0-made-up\r\n", cause: { kind: "error", name: "HTTPParserError" } },
    {
      what: "an unasked 100 (undici refuses it)",
      wire: "HTTP/1.1 100 Continue\r\n\r\n",
      cause: { kind: "network", code: "UND_ERR_SOCKET" },
    },
    {
      what: "only an interim one",
      wire: "HTTP/1.1 103 Early Hints\r\n\r\n",
      cause: { kind: "network", code: "UND_ERR_SOCKET" },
    },
    { what: "half a head", wire: "HTTP/1.1 200 OK\r\nx: ", cause: { kind: "network", code: "UND_ERR_SOCKET" } },
    {
      what: "a head without end",
      wire: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(99_999)}`,
      cause: { kind: "malformed", code: "UND_ERR_HEADERS_OVERFLOW" },
    },
  ])("was, when the reply is $what", async ({ wire, cause }) => {
    await using bundle = await setup({ onRequest: (socket) => socket.end(wire) });
    expect(await bundle.transport.send(bundle.call)).toEqual(sent(cause));
    expect(bundle.server.requests).toHaveLength(1);
  });

  it("is never denied, and no call is written twice, while a server drops connections at any moment", async () => {
    const drops: ((socket: Socket) => void)[] = [
      (socket) => socket.write(reply(200, "{}")),
      (socket) => socket.write(reply(200, "{}")),
      (socket) => socket.write(reply(200, "{}"), () => socket.end()),
      (socket) => socket.write(reply(200, "{}"), () => socket.resetAndDestroy()),
      (socket) => socket.end(reply(200, "{}", "connection: close\r\n")),
      (socket) => void setImmediate().then(() => socket.resetAndDestroy()),
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.destroy(),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: drops.length - 1 }), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(...METHODS),
        fc.integer({ min: 1, max: 8 }),
        async (script, method, lanes) => {
          await using bundle = await setup({ onRequest: (socket, _, nth) => drops[script[nth - 1] ?? 0]?.(socket) });
          const call = { ...bundle.call, method, body: method === "GET" ? null : "{}" };
          const results: HttpReply[] = [];
          let next = 0;
          const lane = async (): Promise<void> => {
            while (next < script.length) {
              const n = next++;
              results[n] = await bundle.transport.send({ ...call, path: `/call-${n}-` });
            }
          };
          await Promise.all(Array.from({ length: lanes }, lane));
          await bundle.transport.close();
          await Promise.all(bundle.server.sockets.map(closed));
          for (const [n, result] of results.entries()) {
            const seen = bundle.server.received.split(`/call-${n}-`).length - 1;
            expect(seen).toBeLessThanOrEqual(1);
            if (result.kind === "reply") expect(seen).toBe(1);
            else if (!result.written) expect(seen).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("privacy", () => {
  it("gives back nothing of a call that failed, however one looks at the result", async () => {
    const failures: RawBehaviour[] = [
      { onConnection: (socket) => socket.resetAndDestroy() },
      { onRequest: (socket) => socket.resetAndDestroy() },
      { onRequest: (socket) => socket.end("999999990019 424242 planted-key\r\n") },
      { onRequest: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n424242") },
      {},
    ];
    for (const behaviour of failures) {
      await using bundle = await setup(behaviour, { timeoutMs: 100 });
      const result = await bundle.transport.send(bundle.call);
      expect(inspect(result, { depth: null, showHidden: true })).not.toMatch(
        /999999990019|424242|planted|otp|127\.0\.0\.1/,
      );
    }
  });
});
