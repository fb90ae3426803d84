import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noReplyWord } from "../../../src/outcomes/no-reply.ts";
import type { HttpReply } from "../../../src/providers/http.ts";
import { reply, startRawServer } from "./raw-server.ts";
import { answer, closed, setup } from "./transport-bundle.ts";
import { Lived } from "../../support/lived.ts";

describe("what a transport reads", () => {
  it("gives status, headers with lower-case names, and the body as text", async () => {
    const headers = "Content-Type: application/json\r\nX-Twice: a\r\nx-twice: b\r\n";
    await using bundle = await setup({ onRequest: answer(reply(409, '{"name":"é"}', headers)) });
    expect(await bundle.transport.send(bundle.call)).toEqual({
      kind: "reply",
      status: 409,
      headers: { "content-type": "application/json", "x-twice": "a, b", "content-length": "13" },
      text: '{"name":"é"}',
    });
  });

  it.each([
    { what: "an empty 200", wire: reply(200, ""), status: 200, text: "" },
    { what: "a 204", wire: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, text: "" },
    { what: "an HTML 502", wire: reply(502, "<html>bad</html>"), status: 502, text: "<html>bad</html>" },
    { what: "a body with a byte order mark", wire: reply(200, "\ufeff{}"), status: 200, text: "{}" },
    {
      what: "a chunked body",
      wire: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{ \r\n1\r\n \r\n1\r\n}\r\n0\r\n\r\n",
      status: 200,
      text: "{  }",
    },
    {
      what: "a reply after interim ones",
      wire: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${reply(200, "{}")}`,
      status: 200,
      text: "{}",
    },
  ])("reads $what", async ({ wire, status, text }) => {
    await using bundle = await setup({ onRequest: answer(wire) });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ kind: "reply", status, text });
  });

  it("replaces bytes that are not UTF-8", async () => {
    const wire = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na\xffb", "latin1");
    await using bundle = await setup({ onRequest: (socket) => socket.write(wire) });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ text: "a\ufffdb" });
  });

  it("puts together characters that were cut between packets", async () => {
    const wire = Buffer.from(reply(200, "é₹é₹"));
    await using bundle = await setup({ onRequest: (socket) => void trickle(socket, wire) });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 200, text: "é₹é₹" });
  });

  it("reads a body that only the end of the connection ends, and needs a new connection after it", async () => {
    await using bundle = await setup({ onRequest: (socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n<html>") });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 200, text: "<html>" });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 200, text: "<html>" });
    expect(bundle.server.sockets).toHaveLength(2);
  });

  it("does not follow a redirect", async () => {
    await using elsewhere = await startRawServer({ onRequest: answer(reply(200, "{}")) });
    const location = `location: ${elsewhere.origin}/otp\r\n`;
    await using bundle = await setup({ onRequest: answer(reply(302, "", location)) });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 302, text: "" });
    expect(elsewhere.sockets).toHaveLength(0);
    expect(bundle.server.requests).toHaveLength(1);
  });
});

describe("a reply that is not whole", () => {
  const cut = { kind: "reply", status: 200, text: null };

  it.each([
    { what: "ends before its content-length", ending: (socket: Socket) => void socket.end() },
    { what: "is reset before its content-length", ending: (socket: Socket) => void socket.resetAndDestroy() },
  ])("has no text when it $what", async ({ ending }) => {
    await using bundle = await setup({
      onRequest: (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"otp', () => ending(socket)),
    });
    expect(await bundle.transport.send(bundle.call)).toMatchObject(cut);
  });

  it("has no text when its chunks break off", async () => {
    const wire = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n";
    await using bundle = await setup({ onRequest: (socket) => socket.end(wire) });
    expect(await bundle.transport.send(bundle.call)).toMatchObject(cut);
  });

  it("has no text, and no connection, when its body never goes on", async () => {
    await using bundle = await setup(
      { onRequest: answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{") },
      { timeoutMs: 100 },
    );
    expect(await bundle.transport.send(bundle.call)).toMatchObject(cut);
    await closed(bundle.server.sockets[0]);
  });

  it("is ended by the deadline however steadily it trickles", async () => {
    await using bundle = await setup(
      {
        onRequest: (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n");
          const drip = setInterval(() => socket.write("x"), 10);
          socket.once("close", () => clearInterval(drip));
        },
      },
      { timeoutMs: 300 },
    );
    const start = performance.now();
    using lived = new Lived();
    expect(await bundle.transport.send(bundle.call)).toMatchObject(cut);
    expect(performance.now() - start).toBeGreaterThanOrEqual(290);
    expect(lived.ms).toBeLessThan(2_000);
    await closed(bundle.server.sockets[0]);
  });

  it("is ended at its headers when it declares more than the limit", async () => {
    await using bundle = await setup({
      onRequest: answer(`HTTP/1.1 200 OK\r\ncontent-length: ${100 * 1024 * 1024}\r\n\r\n`),
    });
    using lived = new Lived();
    expect(await bundle.transport.send(bundle.call)).toMatchObject(cut);
    expect(lived.ms).toBeLessThan(2_000); // the deadline is 5 s
    await closed(bundle.server.sockets[0]);
  });

  it("is ended as soon as an undeclared body is over the limit", async () => {
    await using bundle = await setup(
      {
        onRequest: (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
          const pour = (error?: Error | null): void => {
            if (!error) socket.write(`400\r\n${"x".repeat(1024)}\r\n`, pour);
          };
          pour();
        },
      },
      { maxBodyBytes: 64 * 1024 },
    );
    using lived = new Lived();
    expect(await bundle.transport.send(bundle.call)).toMatchObject(cut);
    expect(lived.ms).toBeLessThan(2_000);
    await closed(bundle.server.sockets[0]);
  });

  it("is whole at exactly the limit", async () => {
    const body = "x".repeat(64 * 1024);
    const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000\r\n${body}\r\n0\r\n\r\n`;
    await using bundle = await setup(
      { onRequest: (socket, _, nth) => socket.write(nth === 1 ? reply(200, body) : chunked) },
      { maxBodyBytes: 64 * 1024 },
    );
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 200, text: body });
    expect(await bundle.transport.send(bundle.call)).toMatchObject({ status: 200, text: body });
  });

  it("is whole when it comes in a million chunks of one byte", async () => {
    const count = 1024 * 1024;
    await using bundle = await setup({
      onRequest: (socket) => {
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        socket.write("1\r\nx\r\n".repeat(count));
        socket.write("0\r\n\r\n");
      },
    });
    const result = await bundle.transport.send(bundle.call);
    expect(result).toMatchObject({ status: 200 });
    expect(result.kind === "reply" && result.text?.length).toBe(count);
  });
});

describe("a hostile reply", () => {
  it("is a reply or none, and never a crash, whatever bytes come", async () => {
    const status = fc.constantFrom(
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 204\r\n",
      "HTTP/1.1 101 X\r\nupgrade: a\r\nconnection: upgrade\r\n",
      "",
    );
    const head = fc.constantFrom(
      "content-length: 5\r\n\r\n",
      "content-length: 5, 6\r\n\r\n",
      "transfer-encoding: chunked\r\n\r\n",
      "__proto__: a\r\n\r\n",
      "\r\n",
      "",
    );
    const noise = fc.uint8Array({ maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(status, head, noise, fc.boolean(), async (first, second, third, reset) => {
        await using bundle = await setup({
          onRequest: (socket) =>
            socket.write(Buffer.concat([Buffer.from(first + second), third]), () =>
              reset ? socket.resetAndDestroy() : socket.end(),
            ),
        });
        expect(await bundle.transport.send(bundle.call)).toSatisfy(
          (result: HttpReply) =>
            result.kind === "reply" || (result.written && /^[A-Za-z_]+$/.test(noReplyWord(result.cause))),
        );
      }),
      { numRuns: 200 },
    );
  });
});

/** Writes byte by byte, each in a packet of its own. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    await setImmediate();
  }
}
