import { isTerminal } from "../../src/outcomes/state.ts";
import type { QueueName } from "../../src/queues/names.ts";
import type { LazyConnections } from "../base/client-connections.ts";
import type { Patience } from "../base/patience.ts";

export interface AwaitAllOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Goes on looking for as long as it bears what passes. */
  readonly patience: Patience;
  /** Called when more jobs have settled, with how many. */
  readonly onSettled?: (count: number) => void;
}

/** Settled messages can be lost with a connection, so the states of what is open are also read this often, in ms. */
const LOOK_MS = 10_000;
/** States read in one round trip. */
const CHUNK = 500;

/** Resolves when all these jobs of one queue are settled, when the time is up, or when `signal` aborts. */
export async function awaitAll(
  connections: LazyConnections,
  now: () => number,
  queue: QueueName,
  ids: readonly string[],
  { timeoutMs, signal, patience, onSettled }: AwaitAllOptions,
): Promise<void> {
  const deadline = now() + timeoutMs;
  const open = new Set(ids);
  const total = open.size;
  let wake = (): void => {};
  const wakeUp = (): void => wake();
  const settle = (settled: readonly string[]): void => {
    const before = open.size;
    for (const id of settled) open.delete(id);
    if (open.size < before) onSettled?.(total - open.size);
    if (open.size === 0) wakeUp();
  };
  const look = async (): Promise<void> => {
    await connections.use(async ({ listener, records }) => {
      await listener.subscribe();
      for (const chunk of chunksOf(open)) {
        const states = await records.states(queue, chunk);
        settle(chunk.filter((_, index) => isTerminal(states[index] ?? "queued")));
        if (signal.aborted || now() >= deadline) return;
      }
    });
  };
  const { listener } = await patience.run(async () => await connections.connect());
  const stop = listener.listenToAll(settle);
  signal.addEventListener("abort", wakeUp);
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      await patience.run(look).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      const left = deadline - now();
      if (open.size === 0 || !(left > 0) || signal.aborted) return;
      const timer = setTimeout(wakeUp, Math.min(left, LOOK_MS));
      await woken;
      clearTimeout(timer);
    }
  } finally {
    stop();
    signal.removeEventListener("abort", wakeUp);
  }
}

/** What is in the set when its turn comes: it may shrink meanwhile. */
function* chunksOf(ids: ReadonlySet<string>): Generator<string[]> {
  let chunk: string[] = [];
  for (const id of ids) {
    chunk.push(id);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
