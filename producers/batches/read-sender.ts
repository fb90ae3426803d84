import type { Batch } from "../../src/batches/batch.ts";
import { Chunks, placeOf } from "../../src/batches/chunks.ts";
import { rowJobId } from "../../src/batches/keys.ts";
import { RepairStore } from "../../src/batches/repair-store.ts";
import { runOf } from "../../src/batches/rerun.ts";
import { rowResult } from "../../src/batches/row-result.ts";
import { isMasked } from "../../src/secrets/mask.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { useOnboardings, withChallenge } from "../onboardings/onboarding-rooms.ts";
import type { SeatDeps } from "./seat-deps.ts";

/** Whom a seat is handed. */
export interface SenderFacts {
  readonly row: number;
  readonly ref: string | null;
  /** Of the row's onboarding. */
  readonly onboarding: string;
  /** The number that the file has of the person, masked; null: it shows none. */
  readonly number: string | null;
  /** Until when the code is good, ISO 8601, UTC. */
  readonly deadline: string;
  readonly tries_left: number;
}

/** Null: no code is to be asked for here and now. */
export async function readSender(
  { redis, dataKeys }: ClientConnections,
  deps: SeatDeps,
  { queue, id }: Batch,
  row: number,
): Promise<SenderFacts | null> {
  const rerun = (await new RepairStore(redis).reruns(queue, id)).get(row);
  const onboarding = rowJobId(id, row, runOf(rerun));
  const record = await useOnboardings(deps, async ({ store, challenges }) => {
    const found = await store.get(queue, onboarding);
    return found === null ? null : await withChallenge(challenges, queue, found);
  });
  const challenge = record?.challenge ?? null;
  if (challenge?.state !== "open" || challenge.deadline === null) return null;
  const { chunk, index } = rerun ?? placeOf(row);
  const columns = await new Chunks(redis, dataKeys).readable(queue, id, "columns", chunk);
  const about = { row, state: "awaiting_otp", repaired: 0, asked_again: 0 } as const;
  const shown = rowResult(about, columns?.[index], null);
  const masked = Object.values(shown.columns).filter(isMasked);
  // A mobile number's has no blanks: it is the one that is rung.
  const number = masked.find((text) => /^X+\d{4}$/.test(text)) ?? masked.find((text) => /\d/.test(text)) ?? null;
  const { deadline, tries_left } = challenge;
  return { row, ref: shown.ref, onboarding, number, deadline, tries_left };
}
