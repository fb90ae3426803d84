import { spawn } from "node:child_process";
import { basename } from "node:path";
import {
  type AskService,
  keysUnreachable,
  MOST_ANSWER_BYTES,
  SERVICE_TIMEOUT_MS,
  ServiceKeyProvider,
} from "./key-service.ts";

export interface KeyCommand {
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** What the program sees of the environment: none of our own secrets. A function, so that settings print nothing of it. */
  readonly environment: () => Readonly<Record<string, string | undefined>>;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Keys from a program of the operator's: started for each request, without a shell, the request on its stdin, the answer on
 * its stdout. What it says on stderr is thrown away: it may hold a key. One that takes too long is killed.
 */
export function commandKeyProvider(command: KeyCommand): ServiceKeyProvider {
  const name = `command ${basename(command.program)}`;
  return new ServiceKeyProvider(name, askOf(command, name));
}

function askOf({ program, args, environment, timeoutMs = SERVICE_TIMEOUT_MS }: KeyCommand, name: string): AskService {
  return async (request) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (why: string): void => reject(keysUnreachable(name, why));
    const child = spawn(program, args, { env: environment(), stdio: ["pipe", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (why: string): void => {
      fail(why);
      child.kill("SIGKILL");
      child.stdout.destroy(); // a child of its own may keep it open
    };
    const timer = setTimeout(end, timeoutMs, `no answer within ${timeoutMs} ms`);
    child.on("error", (error: NodeJS.ErrnoException) => fail(`it cannot be started (${error.code ?? "no reason"})`));
    child.stdout.on("error", () => fail("its answer cannot be read"));
    child.stdin.on("error", () => {}); // it may end without reading; how it ends says more
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_ANSWER_BYTES) end(`its answer has more than ${MOST_ANSWER_BYTES} bytes`);
      else chunks.push(chunk);
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else fail(code === null ? `it was ended by ${signal ?? "a signal"}` : `it ended with exit code ${code}`);
    });
    child.stdin.end(request);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  };
}
