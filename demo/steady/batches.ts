import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { Client } from "../../producers/index.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { rowJobId } from "../../src/batches/keys.ts";
import type { Phones } from "../phones.ts";
import { PEOPLE, usualPerson } from "./people.ts";

export interface FeedOptions {
  readonly client: Client;
  readonly phones: Phones;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Where its file lies. */
  readonly folder: string;
  readonly rows: number;
  /** The first made-up person. */
  readonly first: number;
}

const MAIN = fileURLToPath(new URL("../../bin/main.ts", import.meta.url));
/** Between two batches, in ms. */
const PAUSE_MS = 10_000;
/** How numbers end that the stand-in does not take: one row of forty is rejected, one needs a second try. */
const ENDINGS = ["998", "500"];
const Submitted = z.looseObject({ id: z.string(), name: z.string() });

/** One batch after another, as an operations person submits them, until `signal` aborts. */
export async function feedBatches(options: FeedOptions): Promise<void> {
  const { say, signal } = options;
  await mkdir(options.folder, { recursive: true });
  for (let nth = 0; !signal.aborted; nth += 1) {
    // Redis may be away: that is a thing to try.
    await runBatch(nth, options).catch((error: unknown) => {
      if (!signal.aborted) say(`batch ${nth + 1}: ${error instanceof Error ? error.message : String(error)}`);
    });
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

async function runBatch(nth: number, { client, phones, say, signal, folder, rows, first }: FeedOptions): Promise<void> {
  const file = join(folder, "senders.csv");
  const mobiles = Array.from({ length: rows }, (_, index) =>
    madeUpMobile((first + nth * rows + index) % PEOPLE, ENDINGS[index % 40] ?? "000"),
  );
  await writeFile(file, csv(mobiles), { mode: 0o600 });
  const args = ["batch", "submit", file, "--flow", "eko.mobile", "--name", `demo ${first}-${nth + 1}`];
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, "--json"], { signal });
  const { id, name } = Submitted.parse(JSON.parse(stdout));
  for (const [index, mobile] of mobiles.entries()) {
    phones.add("eko.mobile-otp", mobile, usualPerson(index, rowJobId(id, index + 1)));
  }
  say(`batch "${name}" was submitted: ${rows} rows`);
  for await (const { state, counts, ended_at } of client.batches.watch(id, { signal })) {
    if (ended_at === null && counts.waiting + counts.queued + counts.calling > 0) continue;
    // Those who never answer keep it open for minutes: the next goes on beside it.
    say(`batch "${name}" is ${state}: ${counts.succeeded} succeeded, ${counts.awaiting_otp} are asked for a code`);
    return;
  }
}

function csv(mobiles: readonly string[]): string {
  const lines = mobiles.map((mobile, index) => `${mobile},${madeUpMobile(9_000 + (index % 5))},row-${index + 1}`);
  return `${["mobile,csp_id,ref", ...lines].join("\n")}\n`;
}
