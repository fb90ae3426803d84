import { Command, InvalidArgumentError } from "commander";
import { createClient } from "../../producers/index.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { Phones } from "../phones.ts";
import { feedBatches } from "./batches.ts";
import { bringPeople } from "./people.ts";

// What there is to see in compose's demo: one batch after another, and people who ask for codes and read them out.

interface Flags {
  readonly simulator: string;
  readonly folder: string;
  readonly rows: number;
  readonly everyS: number;
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());

const steady = new Command("steady");
await steady
  .requiredOption(
    "--simulator <url>",
    "where the stand-in for the providers is, which the people's phones ask for codes",
  )
  .requiredOption("--folder <path>", "where the file of the running batch lies")
  .option("--rows <number>", "of each batch", wholeNumber, 400)
  .option("--every-s <number>", "a person comes every so many seconds", wholeNumber, 2)
  .action(async ({ simulator, folder, rows, everyS }: Flags) => {
    refuseOthers(new URL(simulator).origin);
    await using client = createClient({ actor: "demo" });
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    const { signal } = stop;
    // Another stretch of made-up people at each start, so that nobody is asked twice.
    const first = Math.floor(Date.now() / 1_000) % 2_000_000;
    const phones = new Phones({ client, say, signal, simulator });
    await Promise.all([
      phones.run(),
      feedBatches({ client, phones, say, signal, folder, rows, first }),
      bringPeople({ client, phones, say, signal, everyMs: everyS * 1_000, first }),
    ]);
  })
  .parseAsync();

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be a whole number from 1 to 99999.");
}

/** Made-up numbers may be somebody's: they are for the stand-in alone. */
function refuseOthers(origin: string): void {
  const env = readEnvironment();
  for (const name of ["EKO_BASE_URL", "DEEPVUE_BASE_URL"]) {
    const called = env[name];
    if (called !== undefined && URL.parse(called)?.origin === origin) continue;
    steady.error(`${name} is not the simulator's (${origin}): the demo runs against the simulator alone`);
  }
}
