import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { formatHealth } from "../report/format-health.ts";
import { LiveScreen } from "../report/live-screen.ts";
import { snakeCased } from "../report/snake-cased.ts";
import { openClient } from "./open.ts";

interface Flags {
  readonly once?: true;
  readonly every: string;
  readonly json?: true;
}

/** Oftener than this nobody can read it, in ms. */
const SHORTEST_MS = 500;

export function defineTop(command: Command, context: CommandContext): void {
  command
    .option("--once", "print it once, for scripts; so does an output that is no terminal")
    .option("--every <time>", "how often it is drawn anew", "2s")
    .option("--json", "print one JSON document for each time")
    .action(async ({ once, every, json }: Flags) => {
      const everyMs = parseDuration(every, "--every", ErrorCode.BAD_USAGE);
      if (everyMs < SHORTEST_MS) {
        throw new SatyapanError(ErrorCode.BAD_USAGE, `--every must be at least ${SHORTEST_MS}ms, not ${every}`);
      }
      const { stdout, signal, now } = context;
      const isLive = once !== true && stdout.isTTY === true;
      await using client = openClient(context);
      const screen = isLive && !json ? new LiveScreen(stdout) : null;
      let shown = "";
      try {
        for (;;) {
          const providers = await client.health();
          const at = new Date(now()).toISOString();
          shown = json ? `${JSON.stringify(snakeCased({ at, providers }))}\n` : formatHealth(providers);
          if (screen === null) stdout.write(shown);
          else screen.drawCounted([at, "", ...shown.trimEnd().split("\n")]);
          if (!isLive) return;
          await sleep(everyMs, undefined, { signal }).catch(() => {});
          if (signal.aborted) return;
        }
      } finally {
        screen?.end();
        // The whole of it: a window may have shown its beginning alone.
        if (screen !== null) stdout.write(shown);
      }
    });
}
