import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { ConfigurationPatch } from "./configuration.ts";
import { CONTROL_PATH, control } from "./control.ts";
import {
  SIMULATOR_CREDENTIALS,
  type SimulatorCredentials,
  simulatorEnvironment,
  type SimulatorEnvironment,
} from "./credentials.ts";
import { Draw } from "./draw.ts";
import { AadhaarKeys } from "./eko/aadhaar-keys.ts";
import { exchange } from "./exchange.ts";
import { Heartbeat } from "./heartbeat.ts";
import { answerHeartbeat, HEARTBEAT_PATH } from "./heartbeat-endpoint.ts";
import type { OutboxMessage } from "./outbox.ts";
import { json } from "./reply.ts";
import type { RequestRecord } from "./request-log.ts";
import { transmit } from "./transmit.ts";
import { type SimulatorStats, World } from "./world.ts";

/** The time in which a caller has to send its head, and all of its request, in ms; one that does not is hung up on. */
const HEAD_MS = 5_000;
const REQUEST_MS = 30_000;
const LOOK_MS = 1_000;

export interface SimulatorOptions {
  /** Default 0: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** ms since the epoch; moves OTPs, windows and signatures, not delays. Default `Date.now`. */
  readonly now?: () => number;
  /** 0 ≤ n < 1; `seededRandom(n)` for the same OTPs every time. Default `Math.random`. */
  readonly random?: () => number;
  readonly credentials?: SimulatorCredentials;
  /** PEM of the key AePS numbers are read with. Default: a new 1024-bit one. */
  readonly aadhaarPrivateKey?: string;
  /** What differs from `DEFAULT_CONFIGURATION`. */
  readonly configuration?: ConfigurationPatch;
  /** False keeps counts only, for runs of millions. Default true. */
  readonly keepRequests?: boolean;
  /** How many messages the outbox remembers at least. Default: all. */
  readonly outboxLimit?: number;
  /** True: every request tells how late its stamp may be (`came_after`). Costs a timer of 1 ms. Default false. */
  readonly witness?: boolean;
  /** One line per request: operation, status, ms, fault; nothing about a person. */
  readonly log?: (line: string) => void;
}

export interface Simulator extends AsyncDisposable {
  /** For example `http://127.0.0.1:4010`. */
  readonly url: string;
  /** What a Satyapan process needs in its environment. */
  readonly env: SimulatorEnvironment;
  /** Every request since the start or the last `reset`, in order of arrival; empty with `keepRequests: false`. */
  readonly requests: readonly RequestRecord[];
  /** What phones received, oldest first. */
  readonly outbox: readonly OutboxMessage[];
  stats(): SimulatorStats;
  /**
   * The newest OTP sent to an Aadhaar or mobile number, as soon as there is one with `seq` above `after` (default 0).
   * @throws {SatyapanError} `wait-timeout` after `timeoutMs` (default 5 s).
   */
  waitForOtp(to: string, options?: { readonly after?: number; readonly timeoutMs?: number }): Promise<OutboxMessage>;
  /** @throws {SatyapanError} `bad-settings`, naming the field; nothing is changed then. */
  configure(patch: ConfigurationPatch): void;
  /** Forgets requests, OTPs, senders and counts, and takes the configuration it was started with. */
  reset(): void;
  /** Closes all sockets at once, also those in the middle of a reply. */
  close(): Promise<void>;
}

/**
 * Starts a stand-in for Eko and Deepvue on one port.
 * @throws {SatyapanError} `port-taken`, or `bad-settings` for the configuration.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = "127.0.0.1", credentials = SIMULATOR_CREDENTIALS, aadhaarPrivateKey, log } = options;
  const aadhaarKeys =
    aadhaarPrivateKey === undefined ? await AadhaarKeys.generate() : AadhaarKeys.fromPem(aadhaarPrivateKey);
  const now = options.now ?? Date.now;
  const heartbeat = options.witness === true ? new Heartbeat(now) : undefined;
  const world = new World({
    now,
    heartbeat,
    draw: new Draw(options.random ?? Math.random),
    credentials,
    aadhaarKeys,
    configuration: options.configuration ?? {},
    keepRequests: options.keepRequests ?? true,
    outboxLimit: options.outboxLimit ?? Number.POSITIVE_INFINITY,
  });

  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: LOOK_MS,
  });
  const port = await listen(server, options.port ?? 0, host, log);
  const url = `http://${reachable(host)}:${port}`;
  const env = simulatorEnvironment(url, credentials, aadhaarKeys.publicKey);

  const closing = new AbortController();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.startsWith(CONTROL_PATH) === true) return control(request, response, world, env);
    if (request.method === "POST" && request.url === HEARTBEAT_PATH) {
      const reply = answerHeartbeat(request.headers, now(), world.configuration.signatureToleranceMs);
      await transmit(response, reply, { kind: "none" }, closing.signal);
      return;
    }
    const record = await exchange(request, response, world, closing.signal);
    const { operation, route, status, ms, fault } = record;
    log?.(`${operation ?? route} ${status ?? "cut"} ${ms} ms${fault === null ? "" : ` ${fault}`}`);
  };
  if (heartbeat !== undefined) server.on("connection", (socket) => heartbeat.accepted(socket));
  server.on("request", (request, response) => {
    response.on("error", () => {}); // the caller has gone
    serve(request, response)
      .catch(async (error: unknown) => {
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        const failed = json(500, { message: `The simulator itself failed. ${text}` });
        await transmit(response, failed, { kind: "none" }, closing.signal);
      })
      .catch(() => response.destroy()); // half of a reply was out
  });

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    closing.abort();
    heartbeat?.stop();
    world.outbox.release();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };

  return {
    url,
    env,
    requests: world.requests.records,
    outbox: world.outbox.messages,
    stats: () => world.stats(),
    async waitForOtp(to, { after = 0, timeoutMs = 5_000 } = {}) {
      const message = await world.outbox.wait(to, after, timeoutMs);
      if (message !== undefined) return message;
      throw new SatyapanError(ErrorCode.WAIT_TIMEOUT, `No OTP was sent to that number within ${timeoutMs} ms.`);
    },
    configure: (patch) => world.configure(patch),
    reset: () => world.reset(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A host to put into a URL: one that listens everywhere is called by its loopback address. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** The port it listens on. */
async function listen(server: Server, port: number, host: string, log: SimulatorOptions["log"]): Promise<number> {
  // Longer than clients keep an idle connection: they close it, so that no request meets a closing one.
  server.keepAliveTimeout = 65_000;
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const why = code === "EADDRINUSE" ? "is already in use" : `cannot be listened on (${code})`;
    throw new SatyapanError(
      ErrorCode.PORT_TAKEN,
      `Port ${port} on ${host} ${why}: choose another with --port, or 0 for a free one.`,
      { cause },
    );
  }
  // Later ones, such as of accepting a connection, would end the process if nobody heard of them.
  server.on("error", (error: NodeJS.ErrnoException) => log?.(`the listener failed (${error.code ?? error.name})`));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
