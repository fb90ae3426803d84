import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ErrorCode, SatyapanError } from "../src/error.ts";

export interface HealthServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** Null where ready, else why not. */
  readonly notReady: () => Promise<string | null>;
}

/** `/metrics`; `/healthz`: the process lives; `/readyz`: Redis is reachable and jobs are taken. */
export class HealthServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws SatyapanError `port-taken`. */
  static async listen({ port, metrics, notReady }: HealthServerOptions): Promise<HealthServer> {
    const answer = async (path: string): Promise<{ status: number; type: string; text: string }> => {
      switch (path) {
        case "/metrics":
          return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", text: await metrics() };
        case "/healthz":
          return { status: 200, type: "text/plain", text: "ok\n" };
        case "/readyz": {
          const why = await notReady();
          return { status: why === null ? 200 : 503, type: "text/plain", text: `${why ?? "ready"}\n` };
        }
        default:
          return { status: 404, type: "text/plain", text: "/metrics, /healthz and /readyz are served here\n" };
      }
    };
    const server = createServer((request, response) => {
      answer(new URL(request.url ?? "/", "http://localhost").pathname).then(
        ({ status, type, text }) => response.writeHead(status, { "content-type": type }).end(text),
        () => response.writeHead(500).end("failed\n"),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const why =
          error.code === "EADDRINUSE" ? "is taken by another process" : `cannot be listened on (${error.code})`;
        const message = `METRICS_PORT: port ${port} ${why}; set another one, or 0 for any free one`;
        reject(new SatyapanError(ErrorCode.PORT_TAKEN, message, { cause: error }));
      });
      server.listen(port, resolve);
    });
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
