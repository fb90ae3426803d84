import { setTimeout as sleep } from "node:timers/promises";
import type { ServerResponse } from "node:http";
import { assertNever } from "../src/base/assert-never.ts";
import { type Reply, wrongTypes } from "./reply.ts";

/** How a reply goes over the wire. */
export type Spoiling =
  | { readonly kind: "none" | "wrong-types" | "drop" | "reset" | "cut-short" | "never-ending" }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "huge-body"; readonly bytes: number };

/** A byte this often keeps a body from ending and its reader from timing out between bytes, ms. */
const DRIP_MS = 100;

/**
 * Writes the reply, or what is left of it. Returns the HTTP status that went out, null where none did.
 * `closed` ends a delay when the simulator closes.
 */
export async function transmit(
  response: ServerResponse,
  reply: Reply,
  spoiling: Spoiling,
  closed: AbortSignal,
): Promise<number | null> {
  switch (spoiling.kind) {
    case "none":
      return write(response, reply);
    case "slow":
      await sleep(spoiling.ms, undefined, { signal: closed }).catch(() => undefined);
      return write(response, reply);
    case "wrong-types":
      return write(response, reply.kind === "json" ? { ...reply, body: wrongTypes(reply.body) } : reply);
    case "huge-body":
      return write(
        response,
        reply.kind === "json" ? { ...reply, body: { padding: "x".repeat(spoiling.bytes), ...reply.body } } : reply,
      );
    case "drop":
      response.destroy();
      return null;
    case "reset":
      response.socket?.resetAndDestroy();
      return null;
    case "cut-short": {
      const { status, type, text } = written(reply);
      response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
      response.write(text.slice(0, text.length / 2), () => response.destroy());
      return status;
    }
    case "never-ending": {
      const { status, type, text } = written(reply);
      response.writeHead(status, { "content-type": type });
      response.write(text.slice(0, -1));
      const drip = setInterval(() => response.write(" "), DRIP_MS);
      response.once("close", () => clearInterval(drip));
      return status;
    }
    default:
      return assertNever(spoiling, "spoiling");
  }
}

function write(response: ServerResponse, reply: Reply): number | null {
  if (response.destroyed) return null; // the caller hung up first
  const { status, type, text } = written(reply);
  const headers: Record<string, string | number> = {};
  if (status !== 204) headers["content-length"] = Buffer.byteLength(text);
  if (text !== "") headers["content-type"] = type;
  if (reply.kind === "json" && reply.retryAfterSeconds !== undefined) headers["retry-after"] = reply.retryAfterSeconds;
  response.writeHead(status, headers).end(text);
  return status;
}

function written(reply: Reply): { readonly status: number; readonly type: string; readonly text: string } {
  switch (reply.kind) {
    case "json":
      return { status: reply.status, type: "application/json", text: JSON.stringify(reply.body) };
    case "html":
      return { status: reply.status, type: "text/html", text: reply.body };
    case "empty":
      return { status: reply.status, type: "text/plain", text: "" };
    default:
      return assertNever(reply, "reply");
  }
}
