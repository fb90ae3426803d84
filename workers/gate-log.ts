import type { ProviderName } from "../src/base/provider-name.ts";
import type { Logger } from "../src/telemetry/logger.ts";

/** What holds a provider's jobs back, as lines of the log: one when it begins, one when it is over. */
export class GateLog {
  readonly #logger: Logger;
  readonly #held = new Map<ProviderName, ReadonlySet<string>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `held`: by reason, as it was just measured. The first time only what is held is told. */
  look(provider: ProviderName, held: Readonly<Record<string, boolean>>): void {
    const before = this.#held.get(provider) ?? new Set<string>();
    const now = new Set(Object.keys(held).filter((reason) => held[reason] === true));
    this.#held.set(provider, now);
    for (const reason of [...now].filter((one) => !before.has(one))) {
      this.#logger.rarely.warn({ provider, reason }, "a provider's jobs are held back: none fails by it");
    }
    for (const reason of [...before].filter((one) => !now.has(one))) {
      this.#logger.rarely.info({ provider, reason }, "a provider's jobs are held back no more");
    }
  }

  /** Another worker measures now, and tells. */
  forget(): void {
    this.#held.clear();
  }
}
