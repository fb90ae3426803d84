import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Client, SatyapanError } from "../../producers/index.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { PEOPLE } from "./batches.ts";

export interface PeopleOptions {
  readonly client: Client;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Where the stand-in for the providers is. */
  readonly simulator: string;
  readonly everyMs: number;
  /** The first made-up person. */
  readonly first: number;
}

const SENT_MS = 60_000;
/** One of so many never answers, and one mistypes the code at first. */
const SILENT = 20;
const CLUMSY = 10;
/** How long somebody takes to read an SMS: 2 to 14 s. */
const READING_MS = [2_000, 5_000, 8_000, 14_000];
/** Nobody is in a batch as well: those end otherwise. */
const ENDING = "007";

const Outbox = z.array(z.looseObject({ otp: z.string() }));

/** People who verify their mobile numbers one by one, until `signal` aborts. */
export async function bringPeople({ everyMs, signal, ...options }: PeopleOptions): Promise<void> {
  const under = new Set<Promise<void>>();
  for (let nth = 0; !signal.aborted; nth += 1) {
    const one = verify(nth, { ...options, signal }).catch((error: unknown) => {
      if (!(error instanceof SatyapanError)) throw error;
      if (!signal.aborted) options.say(`person ${nth + 1}: ${error.message}`);
    });
    under.add(one);
    void one.finally(() => under.delete(one));
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
  await Promise.all(under);
}

async function verify(
  nth: number,
  { client, signal, simulator, first }: Omit<PeopleOptions, "everyMs">,
): Promise<void> {
  const mobile = madeUpMobile((first + nth) % PEOPLE, ENDING);
  const { id } = await client.onboard("eko.mobile", { mobile, csp_id: madeUpMobile(9_000) });
  const asked = await client.onboardings.waitUntil(id, ({ state }) => state !== "running", {
    ...{ timeoutMs: SENT_MS, signal },
  });
  if (asked.state !== "awaiting_otp" || nth % SILENT === SILENT - 1) return;
  const otp = await readSms(simulator, mobile, signal);
  await sleep(READING_MS[nth % READING_MS.length], undefined, { signal }).catch(() => {});
  if (otp === null || signal.aborted) return;
  if (nth % CLUMSY === 0) {
    const { verify: job } = await client.answer(
      id,
      otp.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)),
    );
    if (job !== null) await client.waitFor(job, { timeoutMs: SENT_MS });
  }
  await client.answer(id, otp);
}

/** Null: none came. */
async function readSms(simulator: string, mobile: string, signal: AbortSignal): Promise<string | null> {
  const url = new URL("/_simulator/outbox", simulator);
  for (const [name, value] of Object.entries({ to: mobile, wait: "10000", limit: "1" })) {
    url.searchParams.set(name, value);
  }
  const reply = await fetch(url, { signal }).catch(() => null);
  return reply === null ? null : (Outbox.parse(await reply.json())[0]?.otp ?? null);
}
