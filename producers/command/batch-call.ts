import { createInterface } from "node:readline";
import type { Command } from "commander";
import { assertNever } from "../../src/base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { CommandContext } from "../../src/command/context.ts";
import type { Sender } from "../batches/talk.ts";
import { isTerminal, TypedLines } from "../files/typed-lines.ts";
import { isPassingRefusal } from "../../src/redis/refusal.ts";
import { type CallDesk, jsonDesk, textDesk } from "../report/call-desk.ts";
import { bearOutages } from "./bear-outages.ts";
import { openClient } from "./open.ts";

interface CallFlags {
  readonly operator?: string;
  readonly json?: true;
}

const HELP = `
For each sender one line: the code that the person read out, or \`later\`, \`wrong number\`, \`refused\`; \`quit\` gives the sender back.
Lines come from standard input, so that codes are in no shell history. Several operators may sit at one batch.`;

/** `batch call B`: an operator's seat. */
export function defineBatchCall(command: Command, context: CommandContext): void {
  command
    .argument("<batch>", "its id, your own id for it, or its name")
    .option("--operator <name>", "who sits there, in the audit log; default: the user's name")
    .option("--json", "print a JSON document, in one line, for each event")
    .addHelpText("after", HELP)
    .action(async (name: string, { operator, json }: CallFlags) => {
      const { stdout, stderr, now, endAtHangup } = context;
      // Whoever sits here has a sender, whom another is to be handed at once.
      endAtHangup();
      await using client = openClient(context);
      const { id } = await client.batches.show(name);
      const desk = json === true ? jsonDesk(stdout) : textDesk(stdout, now);
      using lines = openLines(context);
      const options = {
        ...bearOutages((text) => void stderr.write(`satyapan: ${text}\n`)),
        signal: lines.ended,
        onWaiting: (view: BatchView) => desk.waiting(view),
        ...(operator === undefined ? {} : { operator }),
      };
      let goesOn = true;
      for await (const sender of client.batches.seat(id, options)) {
        goesOn = await talk(sender, lines, desk);
        if (!goesOn) break;
      }
      if (goesOn && !lines.ended.aborted) desk.over(await client.batches.show(id));
    });
}

/** What the operator says, line by line. */
interface Lines extends Disposable {
  /** Null: no other comes. */
  next(): Promise<string | null>;
  /** Aborted when whoever sits there leaves without a word. */
  readonly ended: AbortSignal;
}

function openLines({ stdin, stdout, stderr, signal }: CommandContext): Lines {
  if (isTerminal(stdin))
    return new TypedLines(stdin, [stdout, stderr].find(({ isTTY }) => isTTY === true) ?? null, signal);
  const reader = createInterface({ input: stdin, signal, terminal: false });
  const lines = reader[Symbol.asyncIterator]();
  return {
    next: async () => {
      const read = await lines.next();
      return read.done === true ? null : read.value;
    },
    ended: signal,
    [Symbol.dispose]: () => reader.close(),
  };
}

/** Whether the operator goes on to the next. */
async function talk(sender: Sender, lines: Lines, desk: CallDesk): Promise<boolean> {
  desk.sender(sender);
  for (;;) {
    const line = await lines.next();
    if (line === null) return false;
    const said = heard(line);
    switch (said.kind) {
      case "quit":
        return false;
      case "unclear":
        desk.unclear(sender, "type the code, or later, wrong number, refused, quit");
        break;
      case "code":
        if (await answered(sender, said.code, desk)) return true;
        break;
      case "later":
        if (await ended(sender, "later", desk)) return true;
        break;
      case "wrong-number":
        if (await ended(sender, "wrong-number", desk)) return true;
        break;
      case "refused":
        if (await ended(sender, "refused", desk)) return true;
        break;
      default:
        return assertNever(said, "line of an operator");
    }
  }
}

/** Whether nothing more is to be had of this sender. */
async function answered(sender: Sender, code: string, desk: CallDesk): Promise<boolean> {
  try {
    const verdict = await sender.answer(code);
    desk.verdict(sender, verdict);
    return verdict.kind !== "wrong";
  } catch (error) {
    desk.unclear(sender, unclearOf(error));
    return false;
  }
}

async function ended(sender: Sender, how: keyof typeof ENDINGS, desk: CallDesk): Promise<boolean> {
  try {
    const done = await ENDINGS[how](sender);
    desk.ended(sender, done === "lost" ? "lost" : how);
    return true;
  } catch (error) {
    desk.unclear(sender, unclearOf(error));
    return false;
  }
}

const ENDINGS = {
  later: async (sender: Sender) => await sender.later(),
  "wrong-number": async (sender: Sender) => await sender.wrongNumber(),
  refused: async (sender: Sender) => await sender.refused(),
} as const;

/** What the operator can mend; the rest ends the command. The same code given twice is one call (design §3). */
function unclearOf(error: unknown): string {
  if (isPassingRefusal(error)) return "Redis is away for the moment, and may not have heard it: say it again";
  if (error instanceof SatyapanError && MENDABLE.has(error.code)) return error.message;
  throw error;
}

const MENDABLE: ReadonlySet<string> = new Set([ErrorCode.BAD_INPUT, ErrorCode.WAIT_TIMEOUT]);

type Heard =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "later" | "wrong-number" | "refused" | "quit" | "unclear" };

/** What an operator's line means; the first letter will do. */
function heard(line: string): Heard {
  const text = line.trim().toLowerCase();
  const digits = text.replaceAll(/[\s-]/g, "");
  if (/^\d+$/.test(digits)) return { kind: "code", code: digits };
  if (/^(l|later)$/.test(text)) return { kind: "later" };
  if (/^(w|wrong|wrong[ -]number)$/.test(text)) return { kind: "wrong-number" };
  if (/^(r|refused)$/.test(text)) return { kind: "refused" };
  if (/^(q|quit|exit)$/.test(text)) return { kind: "quit" };
  return { kind: "unclear" };
}
