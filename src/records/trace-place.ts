import { hash } from "node:crypto";
import type { TraceContext } from "../base/trace-context.ts";
import type { ParentRef } from "./parent.ts";

/** A job as a part of what is done for one person. */
export interface TracedPart {
  readonly id: string;
  /** Null: it is nobody's. */
  readonly parent: ParentRef | null;
  /** The send that a verify answers. */
  readonly of: string | null;
}

/** Which trace a part belongs to. Nothing of it is stored: each process comes to the same by itself. */
export interface TracePlace {
  readonly traceId: string;
  /** The span of all that is done: the onboarding's, or the first job's. */
  readonly rootSpanId: string;
  /** The span of whoever submitted it; null: they told none, and the root span has no parent. */
  readonly submitterSpanId: string | null;
  readonly isSampled: boolean;
}

/**
 * The id that a trace is named after. A step's is its onboarding, a verify's its send, that of another OTP in a send's place the
 * first send; a batch's row is its own, whether it is a job or an onboarding.
 */
export function traceRootOf({ id, parent, of }: TracedPart): string {
  if (parent?.kind === "o") return parent.of;
  return firstSendOf(of ?? id);
}

/** Ids of the sends after the first end with their number (`src/challenges`). */
function firstSendOf(id: string): string {
  return id.replace(/-s\d{1,3}$/, "");
}

/** `given`: by whoever submitted it; null: nothing. `share`: of the traces that are kept, 0 to 1. */
export function tracePlaceOf(root: string, given: TraceContext | null, share: number): TracePlace {
  const traceId = given?.traceId ?? digest(`trace ${root}`, 32);
  return {
    traceId,
    rootSpanId: spanIdOf(root),
    submitterSpanId: given?.spanId ?? null,
    isSampled: given === null ? isKept(traceId, share) : given.isSampled,
  };
}

/** Of what that is called so in its trace: two parts never have one name. */
export function spanIdOf(name: string): string {
  return digest(`span ${name}`, 16);
}

/** The span of a batch's submission, in the trace that is the batch's own. */
export function batchSpan(batch: string): { readonly traceId: string; readonly spanId: string } {
  return { traceId: tracePlaceOf(batch, null, 1).traceId, spanId: submitSpanIdOf(batch) };
}

/** The span of what submitted this job, onboarding or batch. */
export function submitSpanIdOf(id: string): string {
  return spanIdOf(`${id} submit`);
}

/** The same answer in every process: the id's last 32 bits are as good as drawn. */
function isKept(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < share * 2 ** 32;
}

function digest(text: string, digits: number): string {
  return hash("sha256", text, "hex").slice(0, digits);
}
