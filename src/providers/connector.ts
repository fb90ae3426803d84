import { Socket } from "node:net";
import { buildConnector } from "undici";

/** Makes a pool's connections, and can end those that are only being made. */
export interface Connector {
  readonly connect: buildConnector.connector;
  /** undici's `destroy()` lets them go on until their timeout, which would keep the process alive. */
  abandon(): void;
}

/** HTTP/1.1 only, with a verified certificate for HTTPS. `timeoutMs` covers name, TCP and TLS. */
export function createConnector(timeoutMs: number): Connector {
  const connecting = new Set<Socket>();
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    rejectUnauthorized: true, // else NODE_TLS_REJECT_UNAUTHORIZED could switch the check off
  });
  return {
    connect(options, callback) {
      // `connect` returns the socket, which its type hides. (A `signal` for all sockets would keep each of them for ever: Node 24
      // does not take its listener off a socket that closed.)
      const socket: unknown = connect(options, (...result) => {
        if (socket instanceof Socket) connecting.delete(socket);
        callback(...result);
      });
      if (socket instanceof Socket) connecting.add(socket);
    },
    abandon() {
      for (const socket of connecting) socket.destroy(new Error("closed"));
    },
  };
}
