import type { CommandContext } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { isTerminal, TypedLines } from "../files/typed-lines.ts";

type AskContext = Pick<CommandContext, "stdin" | "stderr" | "signal">;

/** Whether somebody sits there who sees a question and can answer it. */
export function canAsk({ stdin, stderr }: AskContext): boolean {
  return isTerminal(stdin) && stderr.isTTY === true;
}

/** Throws SatyapanError `interrupted` unless whoever sits at the terminal says yes to `question`. */
export async function confirm({ stdin, stderr, signal }: AskContext, question: string): Promise<void> {
  if (!isTerminal(stdin)) throw new TypeError("nobody can be asked");
  using lines = new TypedLines(stdin, stderr, signal);
  stderr.write(`${question} [y/N] `);
  const answer = await lines.next();
  if (answer === null) stderr.write("\n");
  if (!/^\s*y(es)?\s*$/i.test(answer ?? "")) throw new SatyapanError(ErrorCode.INTERRUPTED, "nothing was done");
}
