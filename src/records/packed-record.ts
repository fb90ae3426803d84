/** The fields of a record as they stand in Redis. */
type Fields = Readonly<Record<string, string>>;

/** They stay fields of their own, because scripts read them, those of the version before as well. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["digest", "state", "answered"]);
/** They say nothing of a job that has ended, or what its attempts say anyway. */
const LEFT_OUT: ReadonlySet<string> = new Set(["open", "spent", "attempts", "ticket"]);
/** Of `job`: the words after these say what could be held while it might be called. */
const JOB_WORDS = 7;

/** A character has at most so many bytes. */
const LONGEST_CHARACTER = 4;

/** Two characters between which no piece ends. */
const STAYS_WHOLE = /^[\w -]{2}$/;

const BETWEEN = "\x1f";
/** The first digits of the time when the job was created, which those of all its times are as a rule. */
const TIME = "\x1e";
const TIME_DIGITS = 7;
/** The job's id, with which its attempts' `client_ref_id` begins. */
const ID = "\x1d";

/**
 * Texts that nearly every record has, by the control character that stands for each: JSON holds none of these itself. Kept for
 * as long as records are: nothing here may ever mean something else. The first that fits is taken.
 */
const WORDS: readonly (readonly [code: string, text: string])[] = [
  ["\x01", 'attempt:1={"client_ref_id":"'],
  ["\x02", '","started":'],
  ["\x03", ',"ended":'],
  ["\x04", ',"outcome":{"kind":"succeeded","http_status":200,"status":0,"response_status_id":0,"response_type_id":'],
  ["\x05", ',"outcome":{"kind":"'],
  ["\x06", '","http_status":'],
  ["\x07", ',"response_status_id":'],
  ["\x08", ',"response_type_id":'],
  ["\x0b", ',"sub_code":null,"message":"'],
  ["\x0c", ',"sub_code":'],
  ["\x0e", ',"message":'],
  ["\x0f", 'result={"'],
  ["\x10", '","otp_sent":true,"otp_valid_until":'],
  ["\x11", ',"client_ref_id":"'],
  ["\x12", '"transaction_id":"'],
  ["\x13", '","tid":"'],
  ["\x14", "XXXXXX"],
  ["\x15", " interactive "],
  ["\x16", " bulk "],
  ["\x17", '"}}'],
  ["\x18", '","'],
  ["\x19", '":"'],
  ["\x1a", "null"],
  ["\x1b", "updated="],
  ["\x1c", "job=eko."],
];
const CODE_OF: ReadonlyMap<string, string> = new Map(WORDS.map(([code, text]) => [text, code]));
const TEXT_OF: ReadonlyMap<string, string> = new Map(WORDS);
const ANY_WORD = new RegExp(WORDS.map(([, text]) => text.replace(/[{}]/g, String.raw`\$&`)).join("|"), "g");
// oxlint-disable-next-line no-control-regex -- they are the codes.
const ANY_CODE = /[\x01-\x08\x0b\x0c\x0e-\x1e]/g;
// oxlint-disable-next-line no-control-regex -- they are the codes.
const HAS_CODE = /[\x00-\x08\x0b-\x1f]/;

/**
 * The record of a job that has ended, of which nothing sealed is kept any more, as short as Redis can keep it: what its fields `1`,
 * `2`, … hold beside `OWN_FIELDS`. Null: it is not one that can be told again, because something in it is not what we write.
 * Redis keeps a hash in one piece, which takes a quarter of the memory, only while all its values are short: so the text is cut into
 * pieces of at most `pieceBytes` (`shortValue`).
 */
export function packRecord(id: string, fields: Fields, pieceBytes: number): string[] | null {
  const { job = "", attempts = "0" } = fields;
  if ("input" in fields || "personal" in fields || HAS_CODE.test(Object.values(fields).join(""))) return null;
  const words = job.split(" ").slice(0, JOB_WORDS);
  const time = words[2]?.slice(0, TIME_DIGITS) ?? "";
  if (!/^\d{7}$/.test(time) || isPacked(fields)) return null;
  const last = Number(attempts) === 0 ? "" : fields[`attempt:${attempts}`];
  if (last === undefined || attemptsIn(fields) !== Number(attempts)) return null;
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (OWN_FIELDS.has(name)) continue;
    if (name === "job") pairs.push(`job=${words.join(" ")}`);
    else if (!LEFT_OUT.has(name) && !(name === "updated" && endOf(last) === value)) pairs.push(`${name}=${value}`);
  }
  const coded = pairs.join(BETWEEN).replace(ANY_WORD, (text) => CODE_OF.get(text) ?? text);
  return inPieces(time + coded.replaceAll(id, ID).replaceAll(time, TIME), pieceBytes);
}

/** Pieces as scripts take them: one text, in which each has a NUL after it. */
export function withNuls(pieces: readonly string[]): string {
  return pieces.map((piece) => `${piece}\0`).join("");
}

/** A record's fields as they were before it was packed, or as they are. */
export function unpackRecord(id: string, fields: Fields): Fields {
  if (!isPacked(fields)) return fields;
  let text = "";
  for (let n = 1; fields[n] !== undefined; n++) text += fields[n];
  const time = text.slice(0, TIME_DIGITS);
  const told = text
    .slice(TIME_DIGITS)
    .replace(ANY_CODE, (code) => (code === ID ? id : code === TIME ? time : (TEXT_OF.get(code) ?? "")));
  const unpacked: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) if (!/^\d+$/.test(name)) unpacked[name] = value;
  for (const pair of told.split(BETWEEN)) {
    const at = pair.indexOf("=");
    unpacked[pair.slice(0, at)] = pair.slice(at + 1);
  }
  const attempts = attemptsIn(unpacked);
  unpacked["attempts"] = String(attempts);
  unpacked["updated"] ??= endOf(unpacked[`attempt:${attempts}`] ?? "");
  return unpacked;
}

export function isPacked(fields: Fields): boolean {
  return "1" in fields;
}

/** When an attempt ended, as a record has it; '' while it has not. */
function endOf(attempt: string): string {
  return /"ended":(\d+)/.exec(attempt)?.[1] ?? "";
}

function attemptsIn(fields: Fields): number {
  let count = 0;
  while (fields[`attempt:${count + 1}`] !== undefined) count++;
  return count;
}

function inPieces(text: string, pieceBytes: number): string[] {
  const bytes = Buffer.byteLength(text);
  if (bytes <= pieceBytes) return [text];
  const pieces: string[] = [];
  const most = bytes === text.length ? pieceBytes : Math.floor(pieceBytes / LONGEST_CHARACTER);
  for (let from = 0; from < text.length;) {
    const to = cutAt(text, from, from + most);
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

/** Not inside of a word or a number, so that whoever scans the pieces finds it; nor of a character. */
function cutAt(text: string, from: number, latest: number): number {
  if (latest >= text.length) return text.length;
  let to = latest;
  while (to > (from + latest) / 2 && STAYS_WHOLE.test(text.slice(to - 1, to + 1))) to--;
  return /^[\udc00-\udfff]/.test(text.slice(to)) ? to - 1 : to;
}
