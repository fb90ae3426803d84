import { setTimeout as sleep } from "node:timers/promises";
import { submitSpanIdOf, type TracePlace } from "../../src/records/trace-place.ts";
import { openSpans, type OpenSpans } from "../../src/telemetry/tracing/open-spans.ts";
import type { TracingSettings } from "../../src/telemetry/tracing/settings.ts";
import type { Span } from "../../src/telemetry/tracing/span.ts";

/** What was submitted, and where its trace is. */
export interface Submitted {
  /** Of a job, an onboarding or a batch. */
  readonly id: string;
  /** The operation, the flow, or what a batch is of. */
  readonly name: string;
  readonly place: TracePlace;
  /** The span of the job or onboarding; null: the submission is all that there is of its trace. */
  readonly parentId: string | null;
  readonly attributes: Span["attributes"];
}

export interface SubmitSpansDeps {
  /** Null: there are no traces, and this costs nothing. */
  readonly tracing: TracingSettings | null;
  /** Told once, at the first spans that the collector did not take: how it failed, in a word. */
  readonly onLost: (code: string) => void;
}

/** The longest that a closing client waits for what still holds the way to the collector, in ms. */
const LAST_MS = 1_000;

/**
 * Tells of submissions, as spans. Nothing here is waited for by whoever submits, and what fails here fails alone.
 */
export class SubmitSpans {
  readonly #deps: SubmitSpansDeps;
  readonly #underWay = new Set<Promise<void>>();
  #opening: Promise<OpenSpans | null> | null = null;
  #isLost = false;

  constructor(deps: SubmitSpansDeps) {
    this.#deps = deps;
  }

  get areTold(): boolean {
    return this.#deps.tracing !== null;
  }

  /** `read`: of what was accepted. Times in ms. */
  submitted(startedAt: number, endedAt: number, read: () => Promise<readonly Submitted[]>): void {
    if (this.#deps.tracing === null) return;
    const work = this.#tell(startedAt, endedAt, read).catch(() => this.#lost("UNPLACED"));
    this.#underWay.add(work);
    void work.then(() => this.#underWay.delete(work));
  }

  /** What was told before is with the collector, or a second has passed. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay);
    const opened = await this.#opening?.catch(() => null);
    await opened?.spans.close();
    if (opened !== null && opened !== undefined) {
      await Promise.race([opened.closeExporter(), sleep(LAST_MS, undefined, { ref: false })]);
    }
  }

  async #tell(startedAt: number, endedAt: number, read: () => Promise<readonly Submitted[]>): Promise<void> {
    const opened = await (this.#opening ??= this.#open());
    if (opened === null) return;
    const kept = (await read()).filter(({ place }) => place.isSampled);
    opened.spans.offer(kept.map((one) => spanOf(one, startedAt, endedAt)));
  }

  async #open(): Promise<OpenSpans | null> {
    const { tracing } = this.#deps;
    if (tracing === null) return null;
    const opened = await openSpans(tracing, {
      onSent: () => {},
      onDropped: (_count, reason, error) =>
        this.#lost(error !== null && "code" in error ? String(error.code) : reason.toUpperCase()),
    });
    if (opened === null) this.#lost("NO_ADDRESS");
    return opened;
  }

  #lost(code: string): void {
    if (!this.#isLost) this.#deps.onLost(code);
    this.#isLost = true;
  }
}

function spanOf({ id, name, place, parentId, attributes }: Submitted, startedAt: number, endedAt: number): Span {
  return {
    ...{ traceId: place.traceId, spanId: submitSpanIdOf(id), parentId, name: `submit ${name}` },
    ...{ kind: "producer", startedAt, endedAt, isFailed: false, attributes },
  };
}
