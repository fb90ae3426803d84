import type { Writable } from "node:stream";
import { assertNever } from "../../src/base/assert-never.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { Sender, Verdict } from "../batches/talk.ts";
import { formatProgress } from "./format-batch.ts";

/** How a talk ended without a code. */
export type TalkEnd = "later" | "wrong-number" | "refused" | "lost";

/** What an operator is shown: words, or a JSON document in each line. Never a code. */
export interface CallDesk {
  waiting(view: BatchView): void;
  sender(sender: Sender): void;
  verdict(sender: Sender, verdict: Verdict): void;
  ended(sender: Sender, end: TalkEnd): void;
  /** What was typed is none of what is understood. */
  unclear(sender: Sender, why: string): void;
  over(view: BatchView): void;
}

const KEYS = "code, later, wrong number, refused or quit: ";

export function textDesk(stdout: Writable & { readonly isTTY?: boolean }, now: () => number): CallDesk {
  let last = "";
  const say = (line: string): void => void stdout.write(`${line}\n`);
  const ask = (): void => void (stdout.isTTY === true && stdout.write(KEYS));
  const named = ({ ref, row }: Sender): string => ref ?? `row ${row}`;
  return {
    waiting: (view) => {
      const { counts } = view;
      const awaited = `${counts.awaiting_otp} ${counts.awaiting_otp === 1 ? "code" : "codes"} awaited`;
      const text = `nobody to talk to: ${awaited}, ${counts.queued + counts.calling} on their way`;
      if (text !== last) say(text);
      last = text;
    },
    sender: (sender) => {
      last = "";
      const { row, number, deadline, tries_left } = sender;
      const tries = `${tries_left} ${tries_left === 1 ? "try" : "tries"}`;
      say(
        `\n${named(sender)}   ${number ?? "no number"}   row ${row}   ${clock(Date.parse(deadline) - now())} left, ${tries}`,
      );
      ask();
    },
    verdict: (sender, verdict) => {
      say(`${named(sender)}: ${verdictText(verdict)}`);
      // Another code of the same sender may come, or a word.
      if (verdict.kind === "wrong") ask();
    },
    ended: (sender, end) => say(`${named(sender)}: ${ENDS[end]}`),
    unclear: (sender, why) => {
      say(`${named(sender)}: ${why}`);
      ask();
    },
    over: (view) => say(`batch ${view.id} is ${formatProgress(view, now())}`),
  };
}

export function jsonDesk(stdout: Writable): CallDesk {
  let last = "";
  const say = (document: object): void => void stdout.write(`${JSON.stringify(document)}\n`);
  return {
    waiting: ({ counts, open_challenges }) => {
      const text = JSON.stringify({ event: "waiting", open_challenges, counts });
      if (text !== last) stdout.write(`${text}\n`);
      last = text;
    },
    sender: ({ row, ref, number, deadline, tries_left }) => {
      last = "";
      say({ event: "sender", row, ref, number, deadline, tries_left });
    },
    verdict: ({ row }, { kind, ...about }) => say({ event: "verdict", row, verdict: kind, ...about }),
    ended: ({ row }, end) => say({ event: "ended", row, as: end }),
    unclear: ({ row }, why) => say({ event: "unclear", row, reason: why }),
    over: (view) => say({ event: "over", ...view }),
  };
}

const ENDS: Readonly<Record<TalkEnd, string>> = {
  later: "later, after the others",
  "wrong-number": "ended: wrong number",
  refused: "ended: refused",
  lost: "somebody else has this sender by now; nothing was done",
};

function verdictText(verdict: Verdict): string {
  switch (verdict.kind) {
    case "right":
      return "the code is right";
    case "wrong":
      return `the code is wrong; ${verdict.tries_left} more may be tried`;
    case "over":
      return `over: ${verdict.reason}`;
    case "lost":
      return ENDS.lost;
    default:
      return assertNever(verdict, "verdict of a code");
  }
}

/** `9:07`, in minutes and seconds. */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
