import { Gauge, type Registry } from "prom-client";

export interface WorkerMeasures {
  readonly isReady: boolean;
  readonly lacksKeys: boolean;
  /** It does what one worker does for all. */
  readonly hasDuty: boolean;
  /** Time until the key that wraps now has served `KEY_LIFE`, ms; null: not known, or a key service's. */
  readonly keyLeftMs: number | null;
}

/** One worker: what it is, and whether it works. */
export class WorkerMetrics {
  readonly #ready: Gauge;
  readonly #keysLacking: Gauge;
  readonly #duty: Gauge;
  readonly #keyLeft: Gauge;
  readonly #build: Gauge<"version" | "node">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#build = new Gauge({
      name: "satyapan_build_info",
      help: "1, with the versions of Satyapan and of Node that this worker runs.",
      labelNames: ["version", "node"],
      registers,
    });
    this.#ready = new Gauge({
      name: "satyapan_worker_ready",
      help: "1: this worker takes jobs (as /readyz says); 0: it does not.",
      registers,
    });
    this.#keysLacking = new Gauge({
      name: "satyapan_keys_lacking",
      help: "1: this worker lacks a key that others seal with, and takes no job; 0: it has all.",
      registers,
    });
    this.#duty = new Gauge({
      name: "satyapan_duty_held",
      help: "1: this worker feeds, reaps and measures for all; 0: another does. Their sum is 1.",
      registers,
    });
    this.#keyLeft = new Gauge({
      name: "satyapan_key_life_left_seconds",
      help: "Time until the key that wraps data keys now has served KEY_LIFE, counted from when a worker that knew of this first had it in the first place, in seconds; negative: since then. Absent with a key service.",
      registers,
    });
    this.#keyLeft.remove({});
  }

  built(version: string, node: string): void {
    this.#build.set({ version, node }, 1);
  }

  measured({ isReady, lacksKeys, hasDuty, keyLeftMs }: WorkerMeasures): void {
    this.#ready.set(isReady ? 1 : 0);
    this.#keysLacking.set(lacksKeys ? 1 : 0);
    this.#duty.set(hasDuty ? 1 : 0);
    if (keyLeftMs === null) this.#keyLeft.remove({});
    else this.#keyLeft.set(keyLeftMs / 1_000);
  }
}
