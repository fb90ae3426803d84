import { Counter, type Gauge, type Registry } from "prom-client";
import type { RedisHealth } from "../redis/health.ts";
import { MeasuredGauges } from "./measured-gauges.ts";

/** The refusals that are told apart; `NONE` is not among them, all others are `other`. */
const WORDS: ReadonlySet<string> = new Set([
  ...["OOM", "MISCONF", "READONLY", "NOREPLICAS", "LOADING", "BUSY", "CLUSTERDOWN"],
  ...["NOPERM", "NOAUTH", "CONNECTION", "TIMEOUT", "MAXCLIENTS"],
]);

/** How Redis is, as this worker sees it. */
export class RedisMetrics {
  readonly #gauges: MeasuredGauges;
  readonly #up: Gauge;
  readonly #writable: Gauge;
  readonly #write: Gauge;
  readonly #refusals: Counter<"word">;
  readonly #role: Gauge<"role">;
  readonly #memory: Gauge;
  readonly #memoryLimit: Gauge;
  readonly #noeviction: Gauge;
  readonly #persists: Gauge;
  readonly #clients: Gauge;
  readonly #commands: Counter;
  readonly #evicted: Counter;
  readonly #clock: Gauge;
  readonly #lost: Counter<"queue">;

  constructor(registry: Registry) {
    const gauges = new MeasuredGauges(registry);
    this.#gauges = gauges;
    this.#up = gauges.gauge("satyapan_redis_up", "1: Redis answers this worker, 0: it does not.");
    this.#writable = gauges.gauge("satyapan_redis_writable", "1: Redis took a real write of this worker just now.");
    this.#write = gauges.gauge("satyapan_redis_write_seconds", "How long that write took, to its answer, in seconds.");
    this.#role = gauges.gauge("satyapan_redis_role", "1 at the role that the server has which this worker writes to.", [
      "role",
    ]);
    this.#memory = gauges.gauge(
      "satyapan_redis_memory_bytes",
      "Memory that Redis uses; of a Cluster the fullest node.",
    );
    this.#memoryLimit = gauges.gauge(
      "satyapan_redis_memory_limit_bytes",
      "Its maxmemory, or without one the machine's memory.",
    );
    this.#noeviction = gauges.gauge(
      "satyapan_redis_noeviction",
      "1: a full Redis refuses writes; 0: it would throw jobs away.",
    );
    this.#persists = gauges.gauge(
      "satyapan_redis_persists",
      "1: Redis keeps an AOF and its last write to it went well; 0: accepted jobs may be lost when it stops.",
    );
    this.#clients = gauges.gauge("satyapan_redis_clients", "Connections that Redis has.");
    this.#commands = gauges.counter(
      "satyapan_redis_commands_total",
      "Commands that Redis has processed, of all clients.",
    );
    this.#evicted = gauges.counter("satyapan_redis_evicted_keys_total", "Keys that Redis threw away: it must be 0.");
    const registers = [registry];
    this.#refusals = new Counter({
      name: "satyapan_redis_refusals_total",
      help: "Commands of this worker that Redis refused, by the first word of its answer; CONNECTION, TIMEOUT: no answer.",
      labelNames: ["word"],
      registers,
    });
    for (const word of [...WORDS, "other"]) this.#refusals.inc({ word }, 0);
    this.#lost = new Counter({
      name: "satyapan_redis_data_lost_total",
      help: "How often this process found that Redis had lost its data: quotas were brought back, jobs are gone.",
      labelNames: ["queue"],
      registers,
    });
    this.#clock = gauges.gauge(
      "satyapan_redis_clock_offset_seconds",
      "Redis' clock minus this machine's, in seconds; everything is timed by Redis'.",
    );
  }

  /** `clockOffsetSeconds`: null where Redis is away, as nothing is learnt of its clock then. */
  show(health: RedisHealth, clockOffsetSeconds: number): void {
    this.#gauges.clear();
    const { refusal, writeMs, server } = health;
    const isUp = refusal === null || server !== null;
    this.#up.set(isUp ? 1 : 0);
    this.#writable.set(refusal === null ? 1 : 0);
    if (refusal !== null) this.refused(refusal);
    if (writeMs !== null) this.#write.set(writeMs / 1_000);
    if (isUp) this.#clock.set(clockOffsetSeconds);
    if (server === null) return;
    if (server.role !== null) this.#role.set({ role: server.role }, 1);
    this.#memory.set(server.usedBytes);
    if (server.limitBytes !== null) this.#memoryLimit.set(server.limitBytes);
    if (server.noeviction !== null) this.#noeviction.set(server.noeviction ? 1 : 0);
    this.#persists.set(server.persists ? 1 : 0);
    this.#clients.set(server.clients);
    this.#commands.inc(server.commands);
    this.#evicted.inc(server.evicted);
  }

  refused(word: string): void {
    this.#refusals.inc({ word: WORDS.has(word) ? word : "other" });
  }

  /** `times` 0: it is there from the start, so that the first loss shows as a rise. */
  dataLost(queue: string, times: 0 | 1): void {
    this.#lost.inc({ queue }, times);
  }
}
