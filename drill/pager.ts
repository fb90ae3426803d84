import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { z } from "zod";

const Notification = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(["firing", "resolved"]),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
    }),
  ),
});

/** What somebody on call was told. */
export interface Call {
  readonly alert: string;
  readonly severity: string;
  readonly summary: string;
  readonly runbook: string;
  /** ms since the epoch. */
  readonly at: number;
}

/** Whom Alertmanager calls: remembers each alert once. */
export class Pager implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly #server: Server;
  readonly #told = new Set<string>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<Pager> {
    const server = createServer();
    const pager = new Pager(server);
    server.on("request", (request, response) => {
      void pager.#answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return pager;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#hear(await text(request));
    response.end();
  }

  #hear(body: string): void {
    for (const { status, labels, annotations } of Notification.parse(JSON.parse(body)).alerts) {
      const { alertname: alert = "", severity = "", provider = "", instance = "" } = labels;
      const key = `${alert} ${provider} ${instance}`;
      if (status !== "firing" || this.#told.has(key)) continue;
      this.#told.add(key);
      const { summary = "", runbook_url: runbook = "" } = annotations;
      this.calls.push({ alert: alert.replace("Satyapan", ""), severity, summary, runbook, at: Date.now() });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
