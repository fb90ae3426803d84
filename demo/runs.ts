import type { OperationName } from "../src/operations/catalogue.ts";
import type { FlowName } from "../src/flows/flows.ts";
import type { BatchView } from "../src/batches/batch.ts";
import type { RowResult } from "../src/batches/row-result.ts";
import { rowJobId } from "../src/batches/keys.ts";
import { type Habit, type Habits, personOf } from "./person.ts";
import type { Phones } from "./phones.ts";
import { FILE, type Stage } from "./stage.ts";
import { typed } from "./typed.ts";

/** One batch of the demo: the same senders through one flow. */
export interface Run {
  readonly name: string;
  readonly flow: FlowName;
  /** The operation that sends the code. */
  readonly send: OperationName;
}

export const RUNS: readonly Run[] = [
  { name: "senders", flow: "eko.dmt-levin", send: "eko.dmt-levin.aadhaar-otp" },
  { name: "identities", flow: "deepvue.aadhaar", send: "deepvue.aadhaar-otp" },
];

/** At most so many people are asked at once; who does not answer in time is asked once more, after all others. */
const TERMS = ["--open", "60", "--resends", "1", "--expires", "10s"];

/** Two of ten mistype the first code, and one of twenty every code. */
const TWENTY: readonly Habit[] = [
  ...(["usual", "usual", "clumsy", "usual", "usual", "usual", "usual", "clumsy", "usual", "usual"] as const),
  ...(["usual", "usual", "clumsy", "usual", "usual", "hopeless", "usual", "clumsy", "usual", "usual"] as const),
];
/** Those who do not answer are among the first hundred, so that they are waited for while the others are called. */
const HABITS: Habits = {
  habits: Array.from({ length: 200 }, (_, index) => {
    if (index < 100 && index % 10 === 5) return index % 20 === 5 ? "silent" : "away";
    return TWENTY[index % TWENTY.length] ?? "usual";
  }),
  readingMs: [600, 1_500, 3_000, 800, 2_200, 5_000, 1_200],
};

/** Submits the file, with people who answer; the batch's id. */
export async function submitRun(
  stage: Stage,
  { name, flow, send }: Run,
  phones: Phones,
  aadhaars: readonly string[],
): Promise<string> {
  const submitted = Promise.withResolvers<string>();
  // Nobody waits for it where nothing was submitted.
  submitted.promise.catch(() => {});
  for (const [index, aadhaar] of aadhaars.entries()) {
    const onboarding = async (asked: number): Promise<string> => rowJobId(await submitted.promise, index + 1, asked);
    phones.add(send, aadhaar, personOf(index, HABITS, onboarding));
  }
  await typed(stage.context, ["batch", "submit", FILE, "--flow", flow, "--name", name, ...TERMS]);
  const { id } = await stage.client.batches.show(name);
  submitted.resolve(id);
  return id;
}

/** How a batch ended. */
export interface EndedRun extends Run {
  readonly batch: BatchView;
  readonly results: readonly RowResult[];
}

export async function endedRun({ client }: Stage, run: Run): Promise<EndedRun> {
  const [batch, results] = await Promise.all([
    client.batches.show(run.name),
    Array.fromAsync(client.batches.results(run.name)),
  ]);
  return { ...run, batch, results };
}
