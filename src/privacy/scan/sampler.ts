import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../../redis/connection.ts";
import type { Duty } from "../../redis/lease.ts";
import type { Finding } from "../../secrets/found.ts";
import { scanMetrics } from "./scan-page.ts";
import { RedisScan } from "./scan-redis.ts";
import type { Scanner } from "./scanner.ts";

/** Keys that are looked at each time. */
const KEYS_AT_ONCE = 100;
/** Between two times, in ms: a million keys take under three hours, and 0.3 % of a core here, 0.1 % in Redis. */
const EVERY_MS = 1_000;
/** From the beginning of a round to that of the next, in ms, at least: in a small Redis every second would look at all of it. */
const ROUND_MS = 60_000;
/** The metrics are looked at once in this number of times. */
const METRICS_EVERY = 60;
/** After one that failed (Redis is away), in ms. */
const AFTER_FAILURE_MS = 10_000;

export interface SamplerOptions {
  readonly redis: RedisClient;
  readonly scanner: Scanner;
  /** To look at Redis. Every process looks at its own metrics. */
  readonly duty: Duty;
  /** This process's own metrics page. */
  readonly metrics: () => Promise<string>;
  /** Told of each finding; it may come again in the next round. */
  readonly onFinding: (finding: Finding) => void;
  /** Findings known at each place: those of the round before, or of this one where it has more already. */
  readonly onMeasured: (place: "redis" | "metrics", findings: number) => void;
  readonly keysAtOnce?: number;
  readonly everyMs?: number;
  readonly roundMs?: number;
}

/**
 * Goes through all keys beside the work, a few each time, round after round, so that what slips in shows without anybody
 * asking. One worker does it for all; the others know of nothing in Redis.
 */
export class PrivacySampler {
  readonly #options: SamplerOptions;
  readonly #stopped = new AbortController();
  #before = 0;
  #now = 0;
  /** When this round began; null: none is under way. */
  #roundAt: number | null = null;
  #nextRoundAt = Number.NEGATIVE_INFINITY;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Runs until `stop`; never rejects. */
  async run(): Promise<void> {
    const { redis, scanner, duty, onFinding, onMeasured, everyMs = EVERY_MS } = this.#options;
    const found = (finding: Finding): void => {
      this.#now++;
      onFinding(finding);
    };
    const scan = new RedisScan({ redis, scanner, onFinding: found });
    for (let times = 0; !this.#stopped.signal.aborted; times++) {
      if (times % METRICS_EVERY === 0) await this.#metrics().catch(() => {});
      if (!duty.held) [this.#before, this.#now] = [0, 0];
      const pause = duty.held ? await this.#sample(scan) : everyMs;
      onMeasured("redis", Math.max(this.#before, this.#now));
      await sleep(pause, undefined, { ref: false, signal: this.#stopped.signal }).catch(() => {});
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** The time to wait until the next step, in ms. */
  async #sample(scan: RedisScan): Promise<number> {
    const { keysAtOnce = KEYS_AT_ONCE, everyMs = EVERY_MS, roundMs = ROUND_MS } = this.#options;
    const now = performance.now();
    if (now < this.#nextRoundAt) return everyMs;
    this.#roundAt ??= now;
    const ended = await scan.some(keysAtOnce).catch(() => null);
    if (ended !== true) return ended === null ? AFTER_FAILURE_MS : everyMs;
    [this.#before, this.#now] = [this.#now, 0];
    this.#nextRoundAt = this.#roundAt + roundMs;
    this.#roundAt = null;
    return everyMs;
  }

  async #metrics(): Promise<void> {
    const { scanner, metrics, onFinding, onMeasured } = this.#options;
    let findings = 0;
    scanMetrics(scanner, "the metrics of this worker", await metrics(), (finding) => {
      findings++;
      onFinding(finding);
    });
    onMeasured("metrics", findings);
  }
}
