import { Command } from "commander";
import { type CommandContext, ExitCode } from "../src/command/context.ts";
import { openRedis } from "../src/command/redis.ts";
import { loadSettings } from "../src/command/settings.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { assertServes, runWorker } from "./run-worker.ts";

export function workerCommand(context: CommandContext): Command {
  return new Command("worker")
    .description("run workers for every provider that has settings, until SIGTERM or Ctrl-C")
    .action(async () => {
      const settings = loadSettings(context);
      assertServes(settings);
      const logger = createLogger(settings.logLevel, context.stderr);
      const redis = await openRedis(context, settings, (err) => logger.warn({ err }, "redis connection error"));
      try {
        const { now, random, signal } = context;
        const worker = await runWorker({ settings, redis, logger, now, random });
        const providers = (["eko", "deepvue"] as const).filter((provider) => settings[provider] !== null);
        const { metricsPort } = worker;
        logger.info({ providers, redis: redis.describe(), metrics_port: metricsPort }, "worker ready");
        await aborted(signal);
        logger.info({ grace_ms: settings.worker.shutdownGraceMs }, "worker stopping");
        const clean = await worker.stop();
        if (!clean) context.exit(ExitCode.NOT_SUCCEEDED);
        logger.info({ clean }, "worker stopped");
      } finally {
        await redis.close();
      }
    });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
