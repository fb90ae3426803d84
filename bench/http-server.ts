import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { answerQuestions } from "./answer.ts";
import { monotonicMs } from "./clock.ts";

// A process of its own that answers every request with one and the same valid reply of Eko's mobile OTP, as cheaply as
// node:http can.

/** What the server has seen since the last `reset`. */
export interface Seen {
  readonly requests: number;
  /** The size of all requests, lines and headers included. */
  readonly bytes: number;
}

/** A job's `csp_id` and when its request arrived (`monotonicMs`). */
export type Arrival = readonly [cspId: string, at: number];

const REPLY = Buffer.from(
  JSON.stringify({
    response_status_id: 0,
    data: {
      client_ref_id: "bench000000000000000",
      initiator_id: "9999999999",
      otp_expiry_timestamp: "Thu Jan 01 10:00:00 IST 2026",
      tid: "3412345678",
    },
    response_type_id: 1623,
    message: "OTP has been sent",
    status: 0,
  }),
);
const HEADERS = { "content-type": "application/json", "content-length": REPLY.length };
/** Longer than any pause of the bench, so that no connection is made anew in between, in ms. */
const KEEP_ALIVE_MS = 60_000;

const sockets = new Set<Socket>();
let closedBytes = 0;
let bytesBefore = 0;
let requests = 0;
let awaited: { readonly count: number; readonly reached: () => void } | null = null;
let arrivals: Arrival[] | null = null;

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  const at = arrivals === null ? 0 : monotonicMs();
  requests++;
  if (arrivals === null) respond(response);
  else stamp(request, response, at, arrivals);
  if (awaited !== null && requests >= awaited.count) awaited.reached();
});
server.on("connection", (socket) => {
  sockets.add(socket);
  socket.once("close", () => {
    sockets.delete(socket);
    closedBytes += socket.bytesRead;
  });
});

function respond(response: ServerResponse): void {
  response.writeHead(200, HEADERS);
  response.end(REPLY);
}

function stamp(request: IncomingMessage, response: ServerResponse, at: number, into: Arrival[]): void {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => {
    into.push([/"csp_id":"([^"]*)"/.exec(body)?.[1] ?? "", at]);
    respond(response);
  });
}

function allBytes(): number {
  let bytes = closedBytes;
  for (const { bytesRead } of sockets) bytes += bytesRead;
  return bytes;
}

answerQuestions({
  listen: async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** Counts from zero; with `true` it also notes when each request arrives. */
  reset: (noteArrivals) => {
    requests = 0;
    bytesBefore = allBytes();
    arrivals = noteArrivals === true ? [] : null;
    awaited = null;
  },
  /** Answers once `count` requests have come. */
  await: async (count) => {
    if (requests >= Number(count)) return;
    await new Promise<void>((reached) => (awaited = { count: Number(count), reached }));
  },
  seen: (): Seen => ({ requests, bytes: allBytes() - bytesBefore }),
  arrivals: () => arrivals ?? [],
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
});
