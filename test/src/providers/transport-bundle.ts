import type { Socket } from "node:net";
import type { HttpCall } from "../../../src/providers/http.ts";
import type { Transport, TransportOptions } from "../../../src/providers/transport.ts";
import { createTransport } from "../../../src/providers/transport.ts";
import type { RawBehaviour, RawServer } from "./raw-server.ts";
import { startRawServer } from "./raw-server.ts";

export const METHODS = ["GET", "POST", "PUT"] as const;

export interface Bundle extends AsyncDisposable {
  readonly server: RawServer;
  readonly transport: Transport;
  readonly call: HttpCall;
}

/** A server that behaves as told, a transport to it, and a call that carries planted personal values. */
export async function setup(behaviour: RawBehaviour, options: Partial<TransportOptions> = {}): Promise<Bundle> {
  const server = await startRawServer(behaviour);
  const transport = createTransport({ origin: server.origin, timeoutMs: 5_000, ...options });
  return {
    server,
    transport,
    call: {
      method: "POST",
      origin: server.origin,
      path: "/otp?aadhaar_number=999999990019",
      headers: { "secret-key": "planted-key" },
      body: '{"otp":"424242"}',
    },
    async [Symbol.asyncDispose]() {
      await transport.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Writes `text` for every request. */
export function answer(text: string): (socket: Socket) => void {
  return (socket) => void socket.write(text);
}

/** Waits for the end of a server's socket, whichever side ended it. */
export async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error("there was no connection");
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve)); // not events.once: a reset is no error
}
