import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../producers/index.ts";
import type { BatchRow } from "../src/batches/batch-row.ts";
import { percentile } from "./statistics.ts";

/** Calls a second of both tenants together: far less than a machine can do, so that the quota is what they share. */
const QUOTA = 40;
const QUIET_ROWS = 100;
const NOISY_ROWS = 2_000;
/** A batch that is small beside what lies ready in the queue. */
const TINY_ROWS = 10;
const ROUNDS = 2;
/** The noisy batch runs so long before anything comes beside it, in ms: its places in the queue are taken, by tickets of this quota. */
const NOISE_FIRST_MS = 6_000;
const LOOK_MS = 50;
/** What was called under the quota before counts for a second, and tickets are made by it for five. */
const QUOTA_KNOWN_MS = 5_500;

type Rows = (rows: number) => Iterable<BatchRow>;

/** p95 of the time from when a row may be called, which is when its batch was in, to its first call; in ms. */
export interface QuietWaits {
  /** With nothing beside it, on the half of the quota that is its share. */
  readonly alone: number;
  /** With another tenant's batch of the same weight, on all of the quota. */
  readonly beside: number;
  readonly tinyAlone: number;
  readonly tinyBeside: number;
}

/** How a small batch waits beside another tenant's that has twenty times its rows. `next`: rows that nobody had before. */
export async function quietWaits(client: Client, next: Rows): Promise<QuietWaits> {
  const quiet = { alone: [] as number[], beside: [] as number[] };
  const tiny = { alone: [] as number[], beside: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    await client.gates.setQuota("eko", `${QUOTA / 2}/1s`);
    await sleep(QUOTA_KNOWN_MS);
    tiny.alone.push(...(await waits(client, next(TINY_ROWS))));
    quiet.alone.push(...(await waits(client, next(QUIET_ROWS))));
    await client.gates.setQuota("eko", `${QUOTA}/1s`);
    const noisy = await submit(client, next(NOISY_ROWS), "noisy");
    await sleep(NOISE_FIRST_MS);
    tiny.beside.push(...(await waits(client, next(TINY_ROWS))));
    quiet.beside.push(...(await waits(client, next(QUIET_ROWS))));
    await client.batches.cancel(noisy);
    await ended(client, noisy);
  }
  const p95 = (values: readonly number[]): number => percentile(values, 0.95);
  return {
    ...{ alone: p95(quiet.alone), beside: p95(quiet.beside) },
    ...{ tinyAlone: p95(tiny.alone), tinyBeside: p95(tiny.beside) },
  };
}

async function waits(client: Client, rows: Iterable<BatchRow>): Promise<number[]> {
  const id = await submit(client, rows, "quiet");
  await ended(client, id);
  const since = Date.parse((await client.batches.show(id)).created_at);
  const results = await Array.fromAsync(client.batches.results(id));
  return results.map(({ started_at }) => Date.parse(started_at ?? "") - since);
}

async function submit(client: Client, rows: Iterable<BatchRow>, tenant: string): Promise<string> {
  return (await client.batches.submitChecked(rows, { operation: "eko.dmt-levin.sender", name: tenant, tenant })).id;
}

async function ended(client: Client, id: string): Promise<void> {
  while ((await client.batches.show(id)).ended_at === null) await sleep(LOOK_MS);
}
