import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { createClient } from "../../producers/index.ts";
import { homeFolder } from "../../src/base/user.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { loadLocalKeys } from "../../src/privacy/keys/local-keys.ts";
import { markMadeUp } from "../../src/privacy/made-up.ts";
import { RedisAccess, stateDirOf } from "../../src/redis/access.ts";
import { ready } from "../../src/redis/connection.ts";
import { machineFrom } from "../../src/redis/embedded/machine.ts";
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
    await markRedis();
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

/** Before the first of its people is in it. */
async function markRedis(): Promise<void> {
  const env = readEnvironment();
  const stateDir = stateDirOf(process.cwd());
  const settings = parseSettings(env, {
    readFile: (path) => readFileSync(path, "utf8"),
    operations: OPERATIONS,
    localKeys: () => loadLocalKeys(stateDir),
  });
  const machine = machineFrom(env, process.platform, homeFolder(), tmpdir());
  const access = await RedisAccess.open({ settings, stateDir, machine, onError: () => {} });
  try {
    const redis = access.connect("client");
    await ready(redis);
    await markMadeUp(redis);
  } finally {
    await access.close();
  }
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
