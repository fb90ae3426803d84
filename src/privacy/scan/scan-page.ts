import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { Finding } from "../../secrets/found.ts";
import type { Scanner } from "./scanner.ts";

/** From the first byte to the last, in ms. */
const TIMEOUT_MS = 5_000;
/** A page of metrics has some 100 KB. */
const LONGEST = 32 << 20;

/** A sample of Prometheus' text format: what it is called, and its value and time, which are never a person's. */
const SAMPLE = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) +[-+.\deEInfNa]+(?: +-?\d+)?(?= |$)/;

/** Looks through the text of metrics: names, labels and help; not the values, which are counts, bytes and seconds. */
export function scanMetrics(
  scanner: Scanner,
  place: string,
  text: string,
  onFinding: (finding: Finding) => void,
): void {
  for (const [index, line] of text.split("\n").entries()) {
    const [sample, name] = SAMPLE.exec(line) ?? [];
    const words = sample === undefined ? line : `${name} ${line.slice(sample.length)}`;
    for (const { kind, what, shown } of scanner.find(Buffer.from(words).toString("latin1")))
      onFinding({ source: "page", place: `${place} line ${index + 1}`, kind, what, shown });
  }
}

/**
 * Looks through a page (`http://127.0.0.1:9464/metrics`); gives back its length in bytes. No redirect is followed.
 * @throws SatyapanError `bad-file` where it cannot be read
 */
export async function scanPage(scanner: Scanner, url: URL, onFinding: (finding: Finding) => void): Promise<number> {
  const place = scanner.hide(url.origin + url.pathname);
  let text: string;
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
    text = await textOf(reply);
  } catch (cause) {
    throw new SatyapanError(ErrorCode.BAD_FILE, `${place} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  scanMetrics(scanner, place, text, onFinding);
  return Buffer.byteLength(text);
}

async function textOf(reply: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of reply.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > LONGEST) throw new Error(`longer than ${LONGEST >> 20} MiB`);
  }
  return text + decoder.decode();
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return "no reason";
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
