import { styleText } from "node:util";
import type { DestinationStream } from "pino";

type Style = Parameters<typeof styleText>[0];

const LEVEL_STYLES: Readonly<Record<string, Style>> = {
  debug: "gray",
  info: "green",
  warn: "yellow",
  error: "red",
  fatal: ["white", "bgRed"],
};

/** They stand at the beginning of a line, or in none. */
const APART: ReadonlySet<string> = new Set(["level", "time", "pid", "msg"]);

type Line = Readonly<Record<string, unknown>>;

/** Lines of JSON as people read them: the time of the day in UTC, level, message, and the facts as `name=value`. */
export class PrettyLines implements DestinationStream {
  readonly #destination: DestinationStream;
  readonly #styled: (style: Style, text: string) => string;

  constructor(destination: DestinationStream, inColours: boolean) {
    this.#destination = destination;
    this.#styled = inColours
      ? (style, text) => styleText(style, text, { validateStream: false })
      : (_style, text) => text;
  }

  write(line: string): void {
    const facts = parsed(line);
    this.#destination.write(facts === null ? line : `${this.#pretty(facts)}\n`);
  }

  #pretty(facts: Line): string {
    const styled = this.#styled;
    const level = String(facts["level"]);
    const time = styled("gray", String(facts["time"]).slice(11, 23));
    const head = `${time} ${styled(LEVEL_STYLES[level] ?? "gray", level.toUpperCase().padEnd(5))}`;
    const rest = Object.entries(facts).filter(([name, value]) => !APART.has(name) && value !== null);
    return [
      `${head} ${styled("bold", String(facts["msg"]))}`,
      ...rest.map(([name, value]) => `${styled("gray", `${name}=`)}${shown(value)}`),
    ].join(" ");
  }
}

/** Null: it is no line of ours, and stays as it is. */
function parsed(line: string): Line | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "msg" in value ? { ...value } : null;
  } catch {
    return null;
  }
}

/** A word as it stands, all else as JSON: what is in a value cannot be taken for another field, or for a line. */
function shown(value: unknown): string {
  return typeof value === "string" && /^[\w{}.:/+@-]+$/.test(value) ? value : JSON.stringify(value);
}
