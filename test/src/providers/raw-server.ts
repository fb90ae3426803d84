import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";

/** A TCP server that does with each connection what a test says, and remembers what it was sent. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
  readonly sockets: readonly Socket[];
  /** The whole requests that came, head and body, in the order of their last byte. */
  readonly requests: readonly string[];
  /** Every byte that came, as latin1. */
  readonly received: string;
}

export interface RawBehaviour {
  readonly onConnection?: (socket: Socket) => void;
  /** `nth` counts from 1, over all connections. */
  readonly onRequest?: (socket: Socket, request: string, nth: number) => void;
}

export async function startRawServer({ onConnection, onRequest }: RawBehaviour): Promise<RawServer> {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  let received = "";
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {}); // resets are what these tests are about
    let pending = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      pending += chunk.toString("latin1");
      for (let end = requestEnd(pending); end !== null; end = requestEnd(pending)) {
        const request = pending.slice(0, end);
        pending = pending.slice(end);
        const nth = requests.push(request);
        onRequest?.(socket, request, nth);
      }
    });
    onConnection?.(socket);
  });
  const port = await listen(server);
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    sockets,
    requests,
    get received() {
      return received;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Listens on a free port of the loopback and says which. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

/** A whole reply with a `content-length`; `headers` end each in CRLF. */
export function reply(status: number, body: string, headers = ""): string {
  return `HTTP/1.1 ${status} Made Up\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Where the first whole request in `text` ends; null while it has not all come. */
function requestEnd(text: string): number | null {
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return null;
  const length = /^content-length: (\d+)$/im.exec(text.slice(0, head))?.[1] ?? "0";
  const end = head + 4 + Number(length);
  return text.length >= end ? end : null;
}
