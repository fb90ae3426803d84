import { refusalWord } from "../redis/refusal.ts";
import type { LineLevel, LogEvent } from "./log/log-event.ts";
import { LOG_EVENTS } from "./log/log-events.ts";

type Line = Readonly<Record<string, unknown>>;

/** Where the lines go. */
export type LineSink = { readonly [Level in LineLevel]: (facts: Line, message: string) => void };

/** Runs it once after so many ms, and does not keep the process alive for that. */
export type After = (ms: number, run: () => void) => void;

export const unreffed: After = (ms, run) => void setTimeout(run, ms).unref();

/** Between two lines about one cause while it lasts, in ms. */
const EVERY_MS = 60_000;
/** Causes of one message that are told apart; those beyond share a line. */
const MOST_CAUSES = 100;

const EVENTS: ReadonlyMap<string, LogEvent> = new Map(Object.entries(LOG_EVENTS));

/** A cause of which a line was said less than a minute ago. */
interface Told {
  /** How often it came since. */
  times: number;
  last: Line;
}

/**
 * What happens by the thousand is logged when it begins, and then once a minute per cause while it lasts, with how often it came
 * in that minute (`times`) and the facts of the last.
 */
export class RareLog implements LineSink {
  readonly #sink: LineSink;
  readonly #after: After;
  /** By message, then by cause. */
  readonly #told = new Map<string, Map<string, Told>>();

  constructor(sink: LineSink, after: After) {
    this.#sink = sink;
    this.#after = after;
  }

  readonly fatal = (facts: Line, message: string): void => this.#log("fatal", facts, message);
  readonly error = (facts: Line, message: string): void => this.#log("error", facts, message);
  readonly warn = (facts: Line, message: string): void => this.#log("warn", facts, message);
  readonly info = (facts: Line, message: string): void => this.#log("info", facts, message);
  readonly debug = (facts: Line, message: string): void => this.#log("debug", facts, message);

  #log(level: LineLevel, facts: Line, message: string): void {
    const causes = this.#causesOf(message);
    const cause = causeOf(facts, message);
    const known = causes.size < MOST_CAUSES || causes.has(cause) ? cause : "";
    const told = causes.get(known);
    if (told === undefined) {
      this.#sink[level](facts, message);
      this.#watch(level, message, known, facts);
      return;
    }
    told.times++;
    told.last = facts;
  }

  /** A minute from now what came meanwhile is told, and so on for as long as it comes. */
  #watch(level: LineLevel, message: string, cause: string, facts: Line): void {
    const causes = this.#causesOf(message);
    const told: Told = { times: 0, last: facts };
    causes.set(cause, told);
    this.#after(EVERY_MS, () => {
      causes.delete(cause);
      if (told.times === 0) return;
      this.#sink[level]({ ...told.last, times: told.times }, message);
      this.#watch(level, message, cause, told.last);
    });
  }

  #causesOf(message: string): Map<string, Told> {
    const known = this.#told.get(message);
    if (known !== undefined) return known;
    const causes = new Map<string, Told>();
    this.#told.set(message, causes);
    return causes;
  }
}

/** What the fields say that make out the event's cause. */
function causeOf(facts: Line, message: string): string {
  return (EVENTS.get(message)?.cause ?? []).map((field) => wordOf(facts[field])).join(" ");
}

function wordOf(value: unknown): string {
  if (value instanceof Error) return refusalWord(value) ?? ("code" in value ? String(value.code) : value.name);
  return typeof value === "string" ? value : JSON.stringify(value);
}
