import type { FaultName, SimulatedStep } from "./fault.ts";
import type { Committed } from "./reply.ts";

export type SimulatedProvider = "eko" | "deepvue";

/** One request as the provider saw it. Persons stand in clear: they are made up. */
export interface RequestRecord {
  /** 1, 2, 3 … in the order of arrival. */
  readonly seq: number;
  /** Arrival, ms since the epoch. */
  readonly at: number;
  /** It came after this, ms since the epoch: nearly `at`, but where the simulator was held up; null: nobody watched (`witness`). */
  readonly came_after: number | null;
  readonly method: string;
  /** Path with `{customer_id}` in place of the number; `unknown` where no route has it. */
  readonly route: string;
  readonly provider: SimulatedProvider | null;
  readonly operation: string | null;
  readonly step: SimulatedStep | null;
  readonly client_ref_id: string | null;
  /** Aadhaar number where there is one, else mobile number. */
  readonly person: string | null;
  /** HTTP status that was written; null while it is open and where the connection was cut. */
  readonly status: number | null;
  /** Eko's business code or Deepvue's `sub_code`. */
  readonly code: string | null;
  /** What the call changed, whatever was answered. */
  readonly committed: Committed | null;
  readonly fault: FaultName | null;
  /** It came when a window of the quota was full. */
  readonly over_quota: boolean;
  /** From arrival until the reply was handed to the socket or the connection cut; null while it is open. */
  readonly ms: number | null;
}

export type OpenRecord = { -readonly [K in keyof RequestRecord]: RequestRecord[K] };

/** How many requests of one operation were answered in one way. */
export interface RequestCount {
  readonly operation: string;
  /** HTTP status, or `cut` where none was written. */
  readonly status: string;
  readonly count: number;
}

/** Every request, or with `keep` false only their counts. */
export class RequestLog {
  readonly records: RequestRecord[] = [];
  readonly #keep: boolean;
  readonly #counts = new Map<string, number>();
  #seq = 0;
  #open = 0;
  #before = 0;

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** Since the start or the last `clear`. */
  get arrived(): number {
    return this.#seq - this.#before;
  }

  /** Arrived and not yet answered. */
  get open(): number {
    return this.#open;
  }

  arrive(at: number, method: string, cameAfter: number | null = null): OpenRecord {
    this.#seq += 1;
    this.#open += 1;
    const record: OpenRecord = {
      seq: this.#seq,
      at,
      came_after: cameAfter,
      method,
      route: "unknown",
      provider: null,
      operation: null,
      step: null,
      client_ref_id: null,
      person: null,
      status: null,
      code: null,
      committed: null,
      fault: null,
      over_quota: false,
      ms: null,
    };
    if (this.#keep) this.records.push(record);
    return record;
  }

  end(record: OpenRecord, now: number): void {
    record.ms = now - record.at;
    this.#open -= 1;
    const key = `${record.operation ?? record.route} ${record.status ?? "cut"}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  counts(): RequestCount[] {
    return [...this.#counts].map(([key, count]) => {
      const [operation = "", status = ""] = key.split(" ");
      return { operation, status, count };
    });
  }

  /** Numbers go on, so that an `after` from before stays meaningful. */
  clear(): void {
    this.#before = this.#seq;
    this.records.length = 0;
    this.#counts.clear();
  }
}
