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

/** Spans of submissions that no collector has. What was submitted is not touched by it. */
export interface SpansLost {
  /**
   * How it failed, in a word: `ECONNREFUSED` and its like, `HTTP_400`, `NO_ANSWER`, `FULL` (they came faster than they went),
   * `UNPLACED` (Redis did not say where they belong), `NO_ADDRESS` (OTEL_EXPORTER_OTLP_ENDPOINT is none).
   */
  readonly code: string;
  readonly count: number;
}

export interface SubmitSpansDeps {
  /** Null: there are no traces, and this costs nothing. */
  readonly tracing: TracingSettings | null;
  /** Told of each loss, as it is noticed. What it throws changes nothing. */
  readonly onLost: (lost: SpansLost) => void;
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

  constructor(deps: SubmitSpansDeps) {
    this.#deps = deps;
  }

  get areTold(): boolean {
    return this.#deps.tracing !== null;
  }

  /** `read`: of what was accepted, `count` of them. Times in ms. */
  submitted(startedAt: number, endedAt: number, count: number, read: () => Promise<readonly Submitted[]>): void {
    if (this.#deps.tracing === null) return;
    const work = this.#tell(startedAt, endedAt, count, read).catch(() => this.#lost("UNPLACED", count));
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

  async #tell(
    startedAt: number,
    endedAt: number,
    count: number,
    read: () => Promise<readonly Submitted[]>,
  ): Promise<void> {
    const opened = await (this.#opening ??= this.#open());
    if (opened === null) {
      this.#lost("NO_ADDRESS", count);
      return;
    }
    const kept = (await read()).filter(({ place }) => place.isSampled);
    opened.spans.offer(kept.map((one) => spanOf(one, startedAt, endedAt)));
  }

  async #open(): Promise<OpenSpans | null> {
    const { tracing } = this.#deps;
    if (tracing === null) return null;
    return await openSpans(tracing, {
      onSent: () => {},
      onDropped: (count, reason, error) =>
        this.#lost(error !== null && "code" in error ? String(error.code) : reason.toUpperCase(), count),
    });
  }

  #lost(code: string, count: number): void {
    try {
      this.#deps.onLost({ code, count });
    } catch {
      // Whoever submits has nothing to do with it.
    }
  }
}

function spanOf({ id, name, place, parentId, attributes }: Submitted, startedAt: number, endedAt: number): Span {
  return {
    ...{ traceId: place.traceId, spanId: submitSpanIdOf(id), parentId, name: `submit ${name}` },
    ...{ kind: "producer", startedAt, endedAt, isFailed: false, attributes },
  };
}
