/** One command that reads a part of a key, and what it says of the key's content. */
export interface Page {
  readonly command: string;
  readonly args: readonly (string | Buffer)[];
  readonly read: (reply: unknown) => PageContent;
}

interface PageContent {
  readonly texts: readonly Text[];
  /** Null: that was all of it. */
  readonly next: Page | null;
}

/** A text of a key, and where in it. */
export interface Text {
  /** `field input`, `[12]`, `consumer`; empty: the key's own value. */
  readonly part: string;
  readonly bytes: Buffer;
}

/** Entries of one page: the reply stays small whatever the key's size. */
const ENTRIES = 500;
/** A page of a long string, in bytes. */
const SLICE = 1 << 16;
/** What two slices share, so that nothing is cut in two: more than the longest form of a needle. */
const OVERLAP = 1 << 12;

/** What to read of a key of this type; null: a type that has no pages (a module's, or one that is newer than this). */
export function firstPages(type: string, key: Buffer): Page[] | null {
  switch (type) {
    case "string":
      return [slice(key, 0)];
    case "list":
      return [range(key, 0)];
    case "hash":
      return [scanOf("HSCAN", key, "0", true)];
    case "zset":
      return [scanOf("ZSCAN", key, "0", true)];
    case "set":
      return [scanOf("SSCAN", key, "0", false)];
    case "stream":
      return [entries(key, "-"), groups(key)];
    default:
      return null;
  }
}

function slice(key: Buffer, from: number): Page {
  const read = (reply: unknown): PageContent => {
    const bytes = reply as Buffer;
    const part = from === 0 && bytes.length < SLICE ? "" : `from byte ${from}`;
    return { texts: [{ part, bytes }], next: bytes.length < SLICE ? null : slice(key, from + SLICE - OVERLAP) };
  };
  return { command: "GETRANGE", args: [key, String(from), String(from + SLICE - 1)], read };
}

function range(key: Buffer, from: number): Page {
  const read = (reply: unknown): PageContent => {
    const items = reply as Buffer[];
    const texts = items.map((bytes, index) => ({ part: `[${from + index}]`, bytes }));
    return { texts, next: items.length < ENTRIES ? null : range(key, from + ENTRIES) };
  };
  return { command: "LRANGE", args: [key, String(from), String(from + ENTRIES - 1)], read };
}

/** `inPairs`: fields with values, members with scores. */
function scanOf(command: "HSCAN" | "ZSCAN" | "SSCAN", key: Buffer, cursor: string, inPairs: boolean): Page {
  const read = (reply: unknown): PageContent => {
    const [next, items] = reply as [Buffer, Buffer[]];
    const done = next.toString() === "0";
    return { texts: named(items, inPairs), next: done ? null : scanOf(command, key, next.toString(), inPairs) };
  };
  return { command, args: [key, cursor, "COUNT", String(ENTRIES)], read };
}

function named(items: readonly Buffer[], inPairs: boolean): Text[] {
  if (!inPairs) return items.map((bytes) => ({ part: "member", bytes }));
  return items.map((bytes, index) => {
    const name = items[index - 1];
    return index % 2 === 0 || name === undefined
      ? { part: "a field's name", bytes }
      : { part: `field ${name.toString("latin1")}`, bytes };
  });
}

type Entry = readonly [id: Buffer, pairs: Buffer[]];

function entries(key: Buffer, from: string): Page {
  const read = (reply: unknown): PageContent => {
    const found = reply as Entry[];
    const texts = found.flatMap(([id, pairs]) =>
      named(pairs, true).map(({ part, bytes }) => ({ part: `entry ${id.toString()} ${part}`, bytes })),
    );
    const last = found.at(-1)?.[0].toString();
    return { texts, next: found.length < ENTRIES || last === undefined ? null : entries(key, `(${last}`) };
  };
  return { command: "XRANGE", args: [key, from, "+", "COUNT", String(ENTRIES)], read };
}

/** The names of a stream's consumer groups, and then those of each one's consumers. */
function groups(key: Buffer): Page {
  const read = (reply: unknown): PageContent => {
    const names = namesIn(reply);
    return { texts: names.map((bytes) => ({ part: "a group's name", bytes })), next: consumers(key, names) };
  };
  return { command: "XINFO", args: ["GROUPS", key], read };
}

function consumers(key: Buffer, [group, ...others]: readonly Buffer[]): Page | null {
  if (group === undefined) return null;
  const read = (reply: unknown): PageContent => ({
    texts: namesIn(reply).map((bytes) => ({ part: "a consumer's name", bytes })),
    next: consumers(key, others),
  });
  return { command: "XINFO", args: ["CONSUMERS", key, group], read };
}

/** The names in XINFO's lists of `name`, value, … */
function namesIn(reply: unknown): Buffer[] {
  return (reply as Buffer[][]).flatMap((fields) => {
    const at = fields.findIndex((field, index) => index % 2 === 0 && field.toString() === "name");
    return fields[at + 1] ?? [];
  });
}
