import type { Dispatcher } from "undici";
import type { Monotonic } from "../base/sleepless-clock.ts";
import type { NoReplyCause } from "../outcomes/no-reply.ts";
import type { HttpReply } from "./http.ts";

type Controller = Dispatcher.DispatchController;
type ReplyHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

export interface ExchangeLimits {
  /** The longest wait for a connection, and then again from the first byte written to the last byte read, in ms. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  /** The clock of `writeBefore`. */
  readonly monotonic: Monotonic;
}

/** Why an exchange is ended before it has a whole reply. */
export type StopCause = Extract<NoReplyCause["kind"], "timeout" | "cancelled" | "closed" | "too large" | "too late">;

/** The codes of Node's parser and of undici for what is no HTTP. */
const MALFORMED = /^(?:HPE_|UND_ERR_(?:RES_|HTTP_PARSER|HEADERS_OVERFLOW))/;

const NO_BODY = Buffer.alloc(0);

/**
 * One call and its reply, as undici's handler. It settles exactly once, keeps nothing of the call, and hands on no error
 * object: those of undici may name a URL.
 *
 * `written` is undici's own word: it calls `onRequestStart` on a connected socket (after the TLS handshake) in the same
 * synchronous step that writes the request to it, and never before (undici 8, `lib/dispatcher/client-h1.js`, `writeH1`).
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #settle: (reply: HttpReply, exchange: Exchange) => void;
  readonly #deadline: NodeJS.Timeout;
  /** The latest moment to write the request, on the clock of the limits; null: any time. */
  readonly #writeBefore: number | null;
  /** Null until the request is written. */
  #controller: Controller | null = null;
  #settled = false;
  /** 0 until a final status (200 and above) was read. */
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #body: Buffer = NO_BODY;
  #bodyBytes = 0;

  constructor(
    limits: ExchangeLimits,
    settle: (reply: HttpReply, exchange: Exchange) => void,
    writeBefore: number | null = null,
  ) {
    this.#limits = limits;
    this.#writeBefore = writeBefore;
    this.#settle = settle;
    this.#deadline = setTimeout(onDeadline, limits.timeoutMs, this);
  }

  /** Ends it now. What was not yet written never will be; a connection that carries it is destroyed. */
  stop(cause: StopCause): void {
    if (this.#settled) return;
    this.#end(this.#withoutText({ kind: cause }));
    this.#controller?.abort(new Error(cause));
  }

  onRequestStart(controller: Controller): void {
    // Thrown here, undici drops the request before a byte of it is written and keeps the connection. The second condition
    // makes sure that one call is written once, whatever undici does about connections that close.
    if (this.#writeBefore !== null && this.#limits.monotonic() > this.#writeBefore) this.stop("too late");
    if (this.#settled || this.#controller !== null) throw new Error("not to be written");
    this.#controller = controller;
    this.#deadline.refresh();
  }

  onResponseStart(_controller: Controller, status: number, headers: ReplyHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = flatten(headers);
    if (Number(this.#headers["content-length"]) > this.#limits.maxBodyBytes) this.stop("too large");
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    const bytes = this.#bodyBytes + chunk.length;
    if (bytes > this.#limits.maxBodyBytes) {
      this.stop("too large");
      return;
    }
    if (this.#bodyBytes === 0) {
      this.#body = chunk; // most replies are one chunk: no copy
    } else {
      // One growing buffer, not a list: a body in one-byte chunks would cost a hundred times its size.
      if (bytes > this.#body.length) this.#body = grow(this.#body, this.#bodyBytes, bytes);
      chunk.copy(this.#body, this.#bodyBytes);
    }
    this.#bodyBytes = bytes;
  }

  onResponseEnd(): void {
    this.#end({
      kind: "reply",
      status: this.#status,
      headers: this.#headers,
      text: decode(this.#body, this.#bodyBytes),
    });
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#end(this.#withoutText(causeOf(error)));
  }

  #withoutText(cause: NoReplyCause): HttpReply {
    return this.#status === 0
      ? noReply(this.#controller !== null, cause)
      : { kind: "reply", status: this.#status, headers: this.#headers, text: null };
  }

  #end(reply: HttpReply): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#deadline);
    this.#body = NO_BODY;
    this.#settle(reply, this);
  }
}

export function noReply(written: boolean, cause: NoReplyCause): HttpReply {
  return { kind: "none", written, cause };
}

function onDeadline(exchange: Exchange): void {
  exchange.stop("timeout");
}

/** The code of Node, OpenSSL or undici, or else the error's name; never its message, which may name an address or a URL. */
function causeOf(error: Error): NoReplyCause {
  const code = "code" in error ? error.code : undefined;
  if (typeof code !== "string" || !/^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return { kind: "error", name: error.name };
  return { kind: MALFORMED.test(code) ? "malformed" : "network", code };
}

/** undici lower-cases names and lists the values of a header that came several times. */
function flatten(headers: ReplyHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}

function grow(body: Buffer, used: number, needed: number): Buffer {
  const grown = Buffer.allocUnsafe(Math.max(needed, 2 * body.length));
  body.copy(grown, 0, 0, used);
  return grown;
}

/** UTF-8; invalid bytes become U+FFFD, a byte order mark goes (JSON.parse would refuse it). */
function decode(body: Buffer, bytes: number): string {
  const text = body.toString("utf8", 0, bytes);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
