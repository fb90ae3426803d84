import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { formOf, type MetricsPage } from "./metrics-page.ts";
import { shareAnswer } from "./shared-answer.ts";

export interface HealthServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** An address or a name of this machine. */
  readonly host: string;
  readonly metrics: () => Promise<MetricsPage>;
  /** Null where ready, else why not. */
  readonly notReady: () => Promise<string | null>;
  /** Called with what befell the listener itself (no free file descriptor …); it goes on. */
  readonly onError: (error: Error) => void;
}

/** The time that a caller may take for the head, for the whole request, and for each next step: it sends a few lines. In ms. */
const HEAD_MS = 5_000;
const REQUEST_MS = 5_000;
const IDLE_MS = 10_000;
const LOOK_MS = 1_000;
/** Longest head, in bytes, and most connections: beyond them a caller is not heard. */
const MAX_HEAD_BYTES = 8_192;
const MAX_CONNECTIONS = 256;
/** Prometheus' own default limit of a scrape. */
const METRICS_MS = 10_000;
/** An orchestrator's probe waits no longer. */
const READY_MS = 1_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** `/metrics`; `/healthz`: the process lives; `/readyz`: Redis is reachable and jobs are taken. */
export class HealthServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws SatyapanError `port-taken`, or `bad-settings` for a host that is none of this machine. */
  static async listen({ port, host, metrics, notReady, onError }: HealthServerOptions): Promise<HealthServer> {
    const late = (): Error => new Error("late");
    const page = shareAnswer(metrics, METRICS_MS, late);
    const whyNot = shareAnswer(notReady, READY_MS, late);
    const answer = async (request: IncomingMessage): Promise<Answer> => {
      if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "GET or HEAD\n");
      switch (pathOf(request.url ?? "/")) {
        case "/metrics":
          return { status: 200, ...formOf(await page(), request.headers.accept ?? "") };
        case "/healthz":
          return plain(200, "ok\n");
        case "/readyz": {
          const why = await whyNot().catch(() => `no answer within ${READY_MS} ms`);
          return plain(why === null ? 200 : 503, `${why ?? "ready"}\n`);
        }
        default:
          return plain(404, "/metrics, /healthz and /readyz are served here\n");
      }
    };
    const server = createServer(
      {
        headersTimeout: HEAD_MS,
        requestTimeout: REQUEST_MS,
        connectionsCheckingInterval: LOOK_MS,
        maxHeaderSize: MAX_HEAD_BYTES,
      },
      (request, response) => {
        response.on("error", () => {}); // the caller has gone
        answer(request)
          .catch(() => plain(500, "failed\n"))
          .then(
            (given) => write(response, given),
            () => response.destroy(),
          )
          .catch(() => response.destroy());
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = IDLE_MS;
    try {
      server.listen(port, host);
      await once(server, "listening");
    } catch (cause) {
      throw cannotListen(port, host, cause);
    }
    // Later errors too, such as of accepting a connection: unheard they would end the process.
    server.on("error", onError);
    return new HealthServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** The path of a request's target, whatever that is: a path, a whole URL as a proxy is asked, or neither. Not `new URL`, which throws. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
}

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain", text };
}

function write(response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}

function cannotListen(port: number, host: string, cause: unknown): SatyapanError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "no reason given";
  switch (code) {
    case "EADDRINUSE":
      return portError(`port ${port} is taken by another process; set another one, or 0 for any free one`, cause);
    case "EACCES":
      return portError(`port ${port} may not be listened on by this user; set one from 1024, or 0 for any`, cause);
    case "EADDRNOTAVAIL":
    case "EINVAL":
      return hostError(`${host} is no address of this machine; 127.0.0.1 is, 0.0.0.0 is all of them`, cause);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return hostError(`${host} is no name that can be looked up (${code}); give an address, like 127.0.0.1`, cause);
    default:
      return portError(`port ${port} of ${host} cannot be listened on (${code})`, cause);
  }
}

function portError(why: string, cause: unknown): SatyapanError {
  return new SatyapanError(ErrorCode.PORT_TAKEN, `METRICS_PORT: ${why}`, { cause });
}

function hostError(why: string, cause: unknown): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_SETTINGS, `METRICS_HOST: ${why}`, { cause });
}
