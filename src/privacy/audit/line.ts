import { createHash } from "node:crypto";
import type { AuditKey } from "./key.ts";
import { auditText } from "./entry.ts";

/** `,"hash":"<8>.<43>"}`, in characters. */
const HASH_SUFFIX = 63;
const HASH = /,"hash":"(([0-9a-f]{8})\.[A-Za-z0-9_-]{43})"\}$/;
const LINE = /^\{"seq":([1-9]\d{0,15}),"chained":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","source":"([^"]{1,80})",/;

/** What stands before an entry's own fields. */
export interface Envelope {
  /** From 1, without a gap. */
  readonly seq: number;
  /** When it was chained, by Redis' clock: ISO 8601, and never before the entry in front of it. */
  readonly chained: string;
  /** Queue and id of the entry in its outbox. */
  readonly source: string;
}

/** A line of the log, as it stands in Redis and in the files. */
export interface AuditLine extends Envelope {
  /** What `hash` is of, together with the hash before. */
  readonly body: string;
  /** JSON of the entry alone. */
  readonly text: string;
  readonly hash: string;
  readonly keyId: string;
}

/** `text` as `auditText` makes it; `previous`: the hash of the line before, for the first the chain's id. */
export function makeLine(
  key: AuditKey,
  previous: string,
  { seq, chained, source }: Envelope,
  text: string,
): { readonly line: string; readonly hash: string; readonly isReadable: boolean } {
  const isReadable = isEntry(text);
  const entry = isReadable ? text : unreadable(chained, text);
  const body = `{"seq":${seq},"chained":"${chained}","source":"${source}",${entry.slice(1, -1)}`;
  const hash = key.hash(previous, body);
  return { line: `${body},"hash":"${hash}"}`, hash, isReadable };
}

/** Null: it is no line of the log. Says nothing about whether its hash is right. */
export function readLine(line: string): AuditLine | null {
  const head = LINE.exec(line);
  const tail = HASH.exec(line.slice(-HASH_SUFFIX));
  if (head === null || tail === null) return null;
  const [before = "", seq = "", chained = "", source = ""] = head;
  const [, hash = "", keyId = ""] = tail;
  const body = line.slice(0, -HASH_SUFFIX);
  return { seq: Number(seq), chained, source, body, text: `{${body.slice(before.length)}}`, hash, keyId };
}

/** Its id in the log's stream: time of chaining and number, both of which only grow. */
export function streamId({ seq, chained }: Pick<AuditLine, "seq" | "chained">): string {
  return `${Date.parse(chained)}-${seq}`;
}

/** Only ours write to an outbox; what somebody else put there must neither stop the log nor break its lines. */
function isEntry(text: string): boolean {
  return text.startsWith('{"at":"') && text.endsWith("}") && !text.includes("\n") && isJson(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a line stands for what was no entry when it was chained. */
export function isReplaced({ text }: Pick<AuditLine, "text">): boolean {
  return /^\{"at":"[^"]*","kind":"unreadable",/.test(text);
}

function unreadable(at: string, text: string): string {
  const digest = createHash("sha256").update(text).digest("base64url");
  return auditText({ at, kind: "unreadable", actor: "worker", digest });
}
