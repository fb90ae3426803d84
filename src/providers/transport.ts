import { debuglog } from "node:util";
import { Pool } from "undici";
import { type Monotonic, steadyClock } from "../base/sleepless-clock.ts";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { createConnector } from "./connector.ts";
import { Exchange, noReply } from "./exchange.ts";
import type { HttpCall, HttpReply } from "./http.ts";

export interface TransportOptions {
  /** Scheme, host and port, for example `https://api.eko.in`; nothing is ever sent elsewhere. */
  readonly origin: string;
  /** The time from the first byte written to the last byte read, in ms; a connection may take as long again (10 s to make one). */
  readonly timeoutMs: number;
  /** Most connections at once. Default: as many as there are calls under way, so that none waits for another. */
  readonly connections?: number;
  /** Longest reply body, in bytes. Default 4 MiB: an Aadhaar verify carries a photo and may carry a PDF. */
  readonly maxBodyBytes?: number;
  /** The clock of `writeBefore`. Default `performance.now`. */
  readonly monotonic?: Monotonic;
}

/** One provider's connections. */
export interface Transport {
  /**
   * Sends one call once: no retry, no redirect. Rejects only with a TypeError, for a call to another origin; whatever the
   * network does becomes a reply, which holds nothing of the call. After `writeBefore` (by `monotonic`) not a byte of
   * it is written any more: the reply is then `too late`.
   */
  send(call: HttpCall, writeBefore?: number | null): Promise<HttpReply>;
  /** Ends the calls under way, and sends no more. */
  abort(): void;
  /** Takes no more calls, lets those under way end, then closes all connections. */
  close(): Promise<void>;
  /** Ends the calls under way and closes all connections, also those that are only being made. */
  destroy(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/**
 * An idle connection that the server closes just as we write to it costs an `unknown` outcome, which a person may have to
 * settle; a new connection costs milliseconds. So idle ones are dropped early: after 4 s, or 2 s before the time the server
 * names, but after 30 s at most.
 */
const KEEP_ALIVE = { keepAliveTimeout: 4_000, keepAliveTimeoutThreshold: 2_000, keepAliveMaxTimeout: 30_000 };

/** Throws SatyapanError(BAD_SETTINGS) where NODE_DEBUG makes undici write the URL of every call to stderr (design §2). */
export function createTransport(options: TransportOptions): Transport {
  if (debuglog("undici").enabled || debuglog("fetch").enabled) {
    throw new SatyapanError(
      ErrorCode.BAD_SETTINGS,
      "NODE_DEBUG names undici or fetch, which would log every call's URL with the Aadhaar number in it: unset it",
    );
  }
  const { origin, timeoutMs, connections = null, maxBodyBytes = MAX_BODY_BYTES, monotonic = steadyClock } = options;
  const limits = { timeoutMs, maxBodyBytes, monotonic };
  const connector = createConnector(Math.min(CONNECT_TIMEOUT_MS, timeoutMs));
  const pool = new Pool(origin, {
    ...KEEP_ALIVE,
    connections,
    pipelining: 1,
    allowH2: false,
    useMilo: false, // else an environment variable picks the parser
    headersTimeout: 0, // the exchange's own deadline is stricter than these two
    bodyTimeout: 0,
    connect: connector.connect,
  });
  const underWay = new Set<Exchange>();
  const idle = Promise.withResolvers<void>();
  let closed = false;
  let aborted = false;

  const destroy = async (): Promise<void> => {
    closed = true;
    for (const exchange of underWay) exchange.stop("closed");
    await pool.destroy();
    connector.abandon();
  };

  return {
    send(call, writeBefore = null) {
      if (call.origin !== origin) return Promise.reject(new TypeError(`this transport only sends to ${origin}`));
      if (closed) return Promise.resolve(noReply(false, { kind: "closed" }));
      if (aborted) return Promise.resolve(noReply(false, { kind: "cancelled" }));
      return new Promise((resolve) => {
        const settle = (reply: HttpReply, ended: Exchange): void => {
          underWay.delete(ended);
          if (closed && underWay.size === 0) idle.resolve();
          resolve(reply);
        };
        const exchange = new Exchange(limits, settle, writeBefore);
        underWay.add(exchange);
        pool.dispatch(call, exchange);
      });
    },
    abort() {
      aborted = true;
      for (const exchange of underWay) exchange.stop("cancelled");
    },
    async close() {
      closed = true;
      if (underWay.size > 0) await idle.promise;
      await destroy();
    },
    destroy,
  };
}
