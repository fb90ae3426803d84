import type { Command } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { formatDuration } from "../../src/base/duration.ts";
import { KeyRotation, type Renewed, type Rewrapped } from "../keys/key-rotation.ts";
import type { DataKeyState, KeyStatus, WrappingKey } from "../keys/key-status.ts";
import { describeSilent } from "../keys/live-rings.ts";
import { formatTable } from "../report/table.ts";
import { OpenKeys } from "./open.ts";
import { isStopped, passProgress } from "./pass-progress.ts";
import { counted } from "../report/counted.ts";

interface JsonFlag {
  readonly json?: true;
}

const ROTATION = `
To replace a key of SATYAPAN_ENCRYPTION_KEYS:
  1. put the new one first, keep the old one behind it, restart all processes
  2. satyapan keys rotate
  3. satyapan keys retire OLD, which is refused while anything needs it, or a worker is not ready for it
  4. take the old one out of the setting

--data also replaces the data keys: needed where one may have become known, not for the above.`;

export function defineKeys(command: Command, context: CommandContext): void {
  command
    .command("status")
    .description("the wrapping keys and which workers have them, the data keys, and how many jobs each seals")
    .option("--json", "print one JSON document")
    .action(async (flags: JsonFlag) => {
      await using opened = new OpenKeys(context);
      using progress = passProgress(context, "looking through jobs");
      const status = await new KeyRotation(opened.use).status(progress.options);
      progress.stop();
      if (isStopped(context)) return;
      context.stdout.write(flags.json ? `${JSON.stringify(status)}\n` : formatStatus(status, context.now()));
    });
  command
    .command("rotate")
    .description("wrap every data key under the first key of SATYAPAN_ENCRYPTION_KEYS (or the key service's)")
    .option("--data", "also make new data keys, and seal what live jobs hold anew")
    .option("--json", "print one JSON document")
    .addHelpText("after", ROTATION)
    .action(async (flags: JsonFlag & { readonly data?: true }) => {
      await using opened = new OpenKeys(context);
      await rotate(context, new KeyRotation(opened.use), flags);
    });
  command
    .command("retire")
    .description("mark a wrapping key so that it is never used again; refused while a data key or a worker needs it")
    .argument("<id>", "the key's id, as in SATYAPAN_ENCRYPTION_KEYS")
    .option("--json", "print one JSON document")
    .action(async (id: string, flags: JsonFlag) => {
      await using opened = new OpenKeys(context);
      const retired = await new KeyRotation(opened.use).retire(id);
      const silent = describeSilent(retired.silent_workers);
      if (silent !== null)
        context.stderr.write(
          `satyapan: ${silent}: one that has ${id} first cannot seal any more; restart it with another\n`,
        );
      const said = `${id} is retired: take it out of SATYAPAN_ENCRYPTION_KEYS (a process that would wrap with it refuses to)\n`;
      context.stdout.write(flags.json ? `${JSON.stringify({ retired: id, ...retired })}\n` : said);
    });
}

async function rotate(
  context: CommandContext,
  rotation: KeyRotation,
  { data, json }: JsonFlag & { readonly data?: true },
): Promise<void> {
  const { stdout, signal } = context;
  using wrapping = passProgress(context, "wrapping data keys");
  const wrapped = await rotation.rewrap(wrapping.options);
  wrapping.stop();
  let renewed: Renewed | null = null;
  if (data && !signal.aborted) {
    using progress = passProgress(context, "sealing anew");
    renewed = await rotation.renew(progress.options);
  }
  stdout.write(json ? `${JSON.stringify({ ...wrapped, ...renewed })}\n` : formatRotation(wrapped, renewed));
  if (isStopped(context)) return;
  if (Object.keys(wrapped.missing).length > 0) context.exit(ExitCode.NOT_SUCCEEDED);
}

function formatRotation({ rewrapped, missing }: Rewrapped, renewed: Renewed | null): string {
  const lines = [`${counted(rewrapped, "data key")} wrapped anew`];
  for (const [id, keys] of Object.entries(missing))
    lines.push(`${counted(keys, "data key")} wrapped by ${id} stay: that key is not among this process's`);
  if (renewed !== null) {
    lines.push(
      `${counted(renewed.replaced, "data key")} replaced, ${counted(renewed.resealed, "sealed field")} sealed anew`,
    );
    if (renewed.unreadable > 0) lines.push(`${counted(renewed.unreadable, "job")} cannot be opened by anybody`);
    if (renewed.locked > 0) lines.push(`${counted(renewed.locked, "job")} cannot be opened here, and stay as they are`);
  }
  return `${lines.join("\n")}\n`;
}

function formatStatus(
  { wrapping_keys, workers, data_keys, damaged_data_keys, shredded_jobs, renewal_since }: KeyStatus,
  now: number,
): string {
  const parts = [
    formatTable(
      [
        ...[{ title: "wrapping key" }, { title: "data keys", align: "right" } as const],
        ...[{ title: "workers", align: "right" } as const, { title: "" }],
      ],
      wrapping_keys.map((key) => [
        ...[key.id, key.data_keys],
        ...[workers.live === 0 ? "none lives" : `${key.workers} of ${workers.live}`, describe(key, now)],
      ]),
    ),
    data_keys.length === 0 ? "no data key yet\n" : dataKeyTable(data_keys, now),
  ];
  const silent = describeSilent(workers.silent);
  if (silent !== null) parts.push(`${silent}\n`);
  for (const id of damaged_data_keys) parts.push(`the data key ${id} is damaged\n`);
  if (shredded_jobs > 0)
    parts.push(`${counted(shredded_jobs, "job")} can be opened by nobody: their data keys are destroyed\n`);
  if (renewal_since !== null)
    parts.push(
      `the data keys are being replaced since ${renewal_since}: \`satyapan keys rotate --data\` goes on with it\n`,
    );
  return parts.join("\n");
}

function dataKeyTable(dataKeys: readonly DataKeyState[], now: number): string {
  const columns = [
    ...[{ title: "data key" }, { title: "seals" }, { title: "age" }, { title: "wrapped by" }],
    { title: "jobs", align: "right" } as const,
  ];
  return formatTable(
    columns,
    dataKeys.map(({ id, scope, created_at, wrapped_by, current, jobs }) => [
      ...[id, current ? `${scope} (current)` : scope, ageOf(now - Date.parse(created_at)), wrapped_by, jobs],
    ]),
  );
}

function describe({ wraps, wraps_since, at_hand, retired_at, data_keys }: WrappingKey, now: number): string {
  const words = [
    ...(wraps ? ["wraps new data keys"] : []),
    ...(wraps_since === null ? [] : [`for ${ageOf(now - Date.parse(wraps_since))}`]),
    ...(retired_at === null ? [] : [`retired ${retired_at}`]),
    ...(at_hand === false && data_keys > 0 ? ["NOT among this process's keys"] : []),
  ];
  return words.join(", ");
}

/** In whole hours or days, which is all that matters here. */
function ageOf(ms: number): string {
  const hours = Math.max(0, Math.floor(ms / 3_600_000));
  if (hours === 0) return "under 1h";
  return hours < 48 ? formatDuration(hours * 3_600_000) : formatDuration(Math.floor(hours / 24) * 86_400_000);
}
