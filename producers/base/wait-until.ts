import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { LazyConnections } from "./client-connections.ts";
import { Patience } from "./patience.ts";

export interface WaitOptions {
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Aborted, it ends the waiting as if the time were up. */
  readonly signal?: AbortSignal;
}

export interface PatientWaitOptions extends WaitOptions {
  /** Goes on looking for as long as it bears what passes. Default: it bears nothing. */
  readonly patience?: Patience;
}

/** A message can be lost with a connection, so what is waited for is also read this often, in ms. */
const LOOK_MS = 2_000;
const DEFAULT_WAIT_MS = 60_000;

/** What is waited for. */
export interface Awaited<T> {
  /** Of the job or onboarding whose news wake the one who waits. */
  readonly id: string;
  /** Throws where it is no longer there. */
  readonly read: () => Promise<T>;
  readonly isThere: (found: T) => boolean;
  /** What is said when the time is up. */
  readonly stillOpen: (found: T) => string;
}

/** Resolves with what was read once it is there. Throws SatyapanError `wait-timeout`. */
export async function waitUntil<T>(
  connections: Pick<LazyConnections, "connect" | "use">,
  now: () => number,
  { id, read, isThere, stillOpen }: Awaited<T>,
  { timeoutMs = DEFAULT_WAIT_MS, signal, patience = new Patience({}, now) }: PatientWaitOptions,
): Promise<T> {
  const deadline = now() + timeoutMs;
  const look = async (): Promise<T> => {
    await connections.use(async ({ listener }) => await listener.subscribe());
    return await read();
  };
  const { listener } = await patience.run(async () => await connections.connect());
  let wake = (): void => {};
  const wakeUp = (): void => wake();
  const stop = listener.listen(id, wakeUp);
  signal?.addEventListener("abort", wakeUp);
  try {
    for (;;) {
      // Before it is read, so that what happens meanwhile is not missed.
      const woken = new Promise<void>((resolve) => (wake = resolve));
      // Each look by itself, so that every outage is borne anew.
      const found = await patience.run(look);
      if (isThere(found)) return found;
      const left = deadline - now();
      if (!(left > 0) || signal?.aborted === true) throw new SatyapanError(ErrorCode.WAIT_TIMEOUT, stillOpen(found));
      const timer = setTimeout(wakeUp, Math.min(left, LOOK_MS));
      await woken;
      clearTimeout(timer);
    }
  } finally {
    stop();
    signal?.removeEventListener("abort", wakeUp);
  }
}
