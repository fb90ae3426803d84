import { once } from "node:events";
import { createServer, type Socket } from "node:net";

export interface FakeRedis extends AsyncDisposable {
  readonly port: number;
  /** Ends every connection. */
  readonly cut: () => void;
}

/** What to answer to a command, its words in lower case; null: nothing. */
export type FakeAnswer = (words: readonly string[], socket: Socket) => string | null;

/** A server that says what a test wants said. It speaks only RESP2, and answers by itself what a connection begins with. */
export async function startFakeRedis(answer: FakeAnswer): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (data) => {
      for (const command of String(data)
        .split(/\*\d+\r\n/)
        .slice(1)) {
        const words = command
          .toLowerCase()
          .split("\r\n")
          .filter((_, line) => line % 2 === 1);
        const said = beginning(words) ?? answer(words, socket);
        if (said !== null) socket.write(said);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}

function beginning([command]: readonly string[]): string | null {
  if (command === "hello") return "-ERR unknown command 'HELLO'\r\n";
  if (command === "client") return "+OK\r\n";
  return command === "info" ? bulk("redis_version:7.0.15\r\nloading:0\r\nrole:master\r\n") : null;
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

export function list(...items: readonly string[]): string {
  return `*${items.length}\r\n${items.join("")}`;
}

/** What is pushed to one who subscribed, in RESP2. */
export function subscription(kind: "subscribe" | "message", channel: string, what: string): string {
  return list(bulk(kind), bulk(channel), what);
}
