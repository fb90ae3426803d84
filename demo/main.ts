import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { readRows, type Row } from "../producers/files/read-rows.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { exitCodeOf } from "../src/command/exit-code.ts";
import { conclude, introduce } from "./words.ts";
import { Phones } from "./phones.ts";
import { endedRun, RUNS, submitRun } from "./runs.ts";
import { FILE, LOG_FILE, openStage, type Stage } from "./stage.ts";
import { typed } from "./typed.ts";

/** Somebody ended the demo, and with it all that it started. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE") {
    super("the demo was interrupted");
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** `stop`: aborted by whatever ends it before its time, with the reason. */
async function demo(stop: AbortController): Promise<number> {
  const startedAt = Date.now();
  const { signal } = stop;
  await using resources = new AsyncDisposableStack();
  const stage = await openStage(resources, signal);
  const { client, context, folder, simulator, workers } = stage;
  const { stdout } = context;
  workers.watch().catch((error: unknown) => stop.abort(error));
  const over = new AbortController();
  const say = (line: string): void => appendFileSync(join(folder, "people.log"), `${line}\n`);
  const phones = new Phones({ client, say, signal: AbortSignal.any([signal, over.signal]), simulator: simulator.url });
  const answering = phones.run().catch((error: unknown) => stop.abort(error));
  resources.defer(async () => {
    over.abort();
    await answering;
  });

  const inputs = (await Array.fromAsync(readRows(FILE, readFileSync(join(folder, FILE), "utf8")))).map(
    ({ input }) => input,
  );
  stdout.write(introduce(stage, inputs.length));
  await onboard(stage, phones, inputs);
  const runs = await Promise.all(RUNS.map(async (run) => await endedRun(stage, run)));
  stage.keep();
  const { text, failures } = conclude(stage, runs, Date.now() - startedAt);
  stdout.write(text);
  for (const failure of failures) process.stderr.write(`demo: ${failure}\n`);
  return failures.length === 0 ? 0 : 1;
}

async function onboard(stage: Stage, phones: Phones, inputs: readonly Row["input"][]): Promise<void> {
  const { context, folder } = stage;
  const aadhaars = inputs.map(({ aadhaar }) => String(aadhaar));
  for (const run of RUNS) await submitRun(stage, run, phones, aadhaars);
  for (const { name } of RUNS) await typed(context, ["batch", "watch", name]);
  // Of all it would take half a minute: each is looked for in every form in which it may have been written.
  const numbers = inputs.filter((_, index) => index % 10 === 0).flatMap(({ aadhaar, mobile }) => [aadhaar, mobile]);
  writeFileSync(join(folder, "numbers.txt"), `${numbers.join("\n")}\n`, { mode: 0o600 });
  await typed(context, ["scan", "--canary", "@numbers.txt", "--file", LOG_FILE]);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort(new Interrupted(name)));
for (const stream of [process.stdout, process.stderr]) {
  // Whoever read it has gone (`| head`), or its terminal.
  stream.on("error", () => stop.abort(new Interrupted("SIGPIPE")));
}
try {
  process.exitCode = await demo(stop);
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write(`\n${error.message}: everything it started was stopped, and nothing is kept\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof SatyapanError) {
    const own =
      error.code === ErrorCode.REDIS_MISSING
        ? "\n(The demo itself needs one of its own: REDIS_URL is not for it.)"
        : "";
    process.stderr.write(`demo: ${error.message}${own}\n`);
    process.exitCode = exitCodeOf(error);
  } else {
    throw error;
  }
}
