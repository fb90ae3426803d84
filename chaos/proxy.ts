import { once } from "node:events";
import { type AddressInfo, createServer, connect, type NetConnectOpts, type Server, type Socket } from "node:net";

/**
 * How a connection fails. `reset`: all are reset, once. `refuse`: and new ones too, for a time. `deaf`: what clients say is
 * lost on the way for a time, then all are reset. `mute`: so is what the server answers.
 */
export const CUTS = ["reset", "refuse", "deaf", "mute"] as const;
export type Cut = (typeof CUTS)[number];

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between clients and a server, on a port of 127.0.0.1, and cuts their connections on demand. */
export class Proxy {
  #upstream: NetConnectOpts;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: Cut | "pass" = "pass";

  private constructor(upstream: NetConnectOpts) {
    this.#upstream = upstream;
    this.#server = createServer({ noDelay: true }, (client) => this.#take(client));
  }

  static async listen(upstream: NetConnectOpts): Promise<Proxy> {
    const proxy = new Proxy(upstream);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `ms`: how long; of no meaning for `reset`. A cut during another one takes its place. */
  cut(how: Cut, ms: number): void {
    if (how === "reset" || how === "refuse") this.#resetAll();
    if (how === "reset") return;
    this.#mode = how;
    setTimeout(() => {
      if (this.#mode !== how) return;
      this.#mode = "pass";
      this.#resetAll(); // a stream that has lost bytes is of no use
    }, ms);
  }

  /** Connections that are there stay where they are. */
  redirect(upstream: NetConnectOpts): void {
    this.#upstream = upstream;
  }

  close(): void {
    this.#server.close();
    this.#resetAll();
  }

  #take(client: Socket): void {
    client.on("error", () => {});
    if (this.#mode === "refuse") {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#upstream);
    server.on("error", () => {}).setNoDelay(true);
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    client.on("data", (chunk) => this.#mode !== "deaf" && server.write(chunk));
    server.on("data", (chunk) => this.#mode !== "mute" && client.write(chunk));
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("close", end);
    server.on("close", end);
  }

  #resetAll(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
    this.#pairs.clear();
  }
}
