import { type CommandContext, ExitCode } from "../src/command/context.ts";
import { assertClosed, exposuresOf, processFacts } from "../src/privacy/hygiene.ts";
import { openRedisPair } from "../src/command/redis.ts";
import { loadSettings } from "../src/command/settings.ts";
import { LogLines } from "../src/telemetry/log-lines.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { PrettyLines } from "../src/telemetry/pretty-lines.ts";
import { assertServes, runWorker } from "./run-worker.ts";

/** After a fault: longer than a stop takes beyond `SHUTDOWN_GRACE` (shutdown.ts), in ms. */
const LEFTOVERS_MS = 10_000;

/** Runs workers in this process until a signal or a fault of our own ends them. Throws SatyapanError where they cannot start. */
export async function runWorkerProcess(context: CommandContext): Promise<void> {
  const settings = loadSettings(context);
  assertServes(settings);
  const exposures = exposuresOf(processFacts(context));
  assertClosed(exposures, settings, settings.allowDebugger);
  const lines = new LogLines(context.stderr);
  const inColours = context.stderr.isTTY === true && (context.env["NO_COLOR"] ?? "") === "";
  const logger = createLogger(
    settings.logLevel,
    settings.logFormat === "pretty" ? new PrettyLines(lines, inColours) : lines,
  );
  for (const exposure of exposures) logger.warn({ exposure }, "clear values may leave this process");
  const onError = (err: Error): void => logger.rarely.warn({ err }, "redis connection error");
  await using opened = new AsyncDisposableStack();
  opened.defer(() => lines.flush());
  let clean: boolean | null = null;
  // Said last, when nothing of it is left.
  opened.defer(() => {
    if (clean !== null) logger.info({ clean }, "worker stopped");
  });
  const { now, random } = context;
  const faulted = new AbortController();
  const hearing = context.faults.listen((err) => {
    logger.fatal({ err }, "a fault of our own: calls in flight get their grace, then the worker ends");
    faulted.abort();
    context.exit(ExitCode.NOT_SUCCEEDED);
    return settings.worker.shutdownGraceMs + LEFTOVERS_MS;
  });
  opened.use(hearing);
  const redis = opened.use(await openRedisPair(context, settings, onError));

  const signal = AbortSignal.any([context.signal, faulted.signal]);
  const worker = await runWorker({ settings, redis, logger, now, random });
  const providers = (["eko", "deepvue"] as const).filter((provider) => settings[provider] !== null);
  const { metricsPort } = worker;
  logger.info({ providers, redis: redis.jobs.describe(), metrics_port: metricsPort }, "worker ready");
  await aborted(signal);
  logger.info({ grace_ms: settings.worker.shutdownGraceMs }, "worker stopping");
  clean = await worker.stop();
  if (!clean) context.exit(ExitCode.NOT_SUCCEEDED);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
