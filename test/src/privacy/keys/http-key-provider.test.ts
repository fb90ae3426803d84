import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { httpKeyProvider } from "../../../../src/privacy/keys/http-key-provider.ts";
import type { KeyProvider } from "../../../../src/privacy/keys/key-provider.ts";
import { Secret } from "../../../../src/secrets/secret.ts";

const CONTEXT = "satyapan/data-key/1|0123456789ab|day:2026-11-21";
const KEY = randomBytes(32);
const TOKEN = "SECRET-TOKEN";

type Answer = (reply: ServerResponse, request: Record<string, string>, head: IncomingMessage) => void;

/** A web service that keeps the keys themselves, and gives out their number. */
async function startService(answer?: Answer) {
  const kept: string[] = [];
  const heads: IncomingMessage[] = [];
  const server = createServer((head, reply) => {
    heads.push(head);
    void serve(head, reply);
  });
  const serve = async (head: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const request = JSON.parse(await text(head)) as Record<string, string>;
    if (answer !== undefined) return answer(reply, request, head);
    const said =
      request["operation"] === "wrap"
        ? { wrapped: String(kept.push(`${request["context"]} ${request["key"]}`) - 1), key_id: "v3" }
        : { key: kept[Number(request["wrapped"])]?.replace(`${request["context"]} `, "") };
    reply.end(JSON.stringify(said));
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    heads,
    provider: (timeoutMs = 10_000): KeyProvider =>
      httpKeyProvider({ url: new URL(`http://127.0.0.1:${port}/v1/keys`), token: new Secret(TOKEN), timeoutMs }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function refused(given: KeyProvider, wrapped?: string): Promise<string> {
  const asked = wrapped === undefined ? given.wrap(KEY, CONTEXT) : given.unwrap(wrapped, CONTEXT);
  const error = await asked.then(
    () => new Error("it was not refused"),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: ErrorCode.KEYS_UNREACHABLE });
  const { message, stack, cause } = error as Error;
  expect(`${message}${stack}${String(cause)}`).not.toMatch(/SECRET/);
  return message.replace(/^the key service \(KEY_PROVIDER, 127\.0\.0\.1:\d+\) does not give keys: /, "");
}

describe("a web service as key service", () => {
  it("is sent a POST of JSON with the token, and wraps and unwraps", async () => {
    await using service = await startService();
    const provider = service.provider();
    const wrapped = await provider.wrap(KEY, CONTEXT);
    expect(provider.keyIdOf(wrapped)).toBe("v3");
    expect(Buffer.from(await provider.unwrap(wrapped, CONTEXT))).toEqual(KEY);
    expect(service.heads.map(({ method, url, headers }) => [method, url, headers["content-type"]])).toEqual([
      ["POST", "/v1/keys", "application/json"],
      ["POST", "/v1/keys", "application/json"],
    ]);
    expect(service.heads[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it.each<[string, Answer, string]>([
    ["500", (reply) => reply.writeHead(500).end("SECRET"), "it answered HTTP 500"],
    ["a redirect", (reply) => reply.writeHead(307, { location: "/SECRET" }).end(), "it answered HTTP 307"],
    ["garbage", (reply) => reply.end("<html>SECRET</html>"), "its answer is not what was agreed on"],
    ["nothing", (reply) => reply.end(), "its answer is not what was agreed on"],
    ["another form", (reply) => reply.end('{"wrapped":{"SECRET":1}}'), "its answer is not what was agreed on"],
    ["a flood", (reply) => reply.end("SECRET".repeat(1_000_000)), "its answer has more than 65536 bytes"],
    ["a reset", (reply) => reply.destroy(), "the connection failed (UND_ERR_SOCKET)"],
  ])("that answers with %s gives no key", async (_, answer, message) => {
    await using service = await startService(answer);
    expect(await refused(service.provider())).toBe(message);
  });

  it("gives no key that has not 32 bytes", async () => {
    await using service = await startService((reply) => reply.end(JSON.stringify({ key: "AAAA" })));
    expect(await refused(service.provider(), "x1.djM.MA")).toBe("its key has not 32 bytes");
  });

  it.each<[string, Answer]>([
    ["never answers", () => {}],
    ["never ends its answer", (reply) => reply.write('{"wrapped":"')],
  ])("that %s is given up", async (_, answer) => {
    await using service = await startService(answer);
    expect(await refused(service.provider(500))).toBe("no answer within 500 ms");
  });

  it("that is not there is told", async () => {
    const url = new URL("http://127.0.0.1:1/");
    await expect(httpKeyProvider({ url, token: null }).wrap(KEY, CONTEXT)).rejects.toThrow(
      "(KEY_PROVIDER, 127.0.0.1:1) does not give keys: the connection failed (ECONNREFUSED)",
    );
  });
});
