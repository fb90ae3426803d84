import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { GateControl, type GateState, type Hold } from "../../src/limits/control.ts";
import { parseQuota } from "../../src/limits/parse-quota.ts";
import type { Quota } from "../../src/limits/quota.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import { queueOf } from "../../src/queues/names.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import type { Actor } from "../base/actor.ts";
import type { UseRedis } from "../base/client-connections.ts";
import { wakeHeld } from "./wake-held.ts";

/** What BullMQ calls jobs that nobody has taken yet. */
const WAITING = ["waiting", "prioritized", "delayed", "paused"];

/** Shows and changes what stands between the jobs and each provider: quotas, holds, the breaker. In force at once, everywhere. */
export class Gates {
  readonly #use: UseRedis;
  readonly #actor: Actor;

  constructor(use: UseRedis, actor: Actor) {
    this.#use = use;
    this.#actor = actor;
  }

  async read(provider: ProviderName): Promise<GateState> {
    return await this.#use(async ({ redis }) => await new GateControl(redis).read(queueOf(provider)));
  }

  /** How many jobs wait for a call of this provider. */
  async waiting(provider: ProviderName): Promise<number> {
    const counts = await this.#use(async ({ queues }) => await queues.counts(queueOf(provider)));
    return WAITING.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  }

  /** `windows` as in the settings: `1/1s,30/1m`; `0` holds all calls. Throws SatyapanError `bad-input`. */
  async setQuota(provider: ProviderName, windows: string): Promise<Quota> {
    const quota = parseQuota(windows, "the quota", ErrorCode.BAD_INPUT);
    await this.#use(async ({ redis }) => {
      await appendAudit(redis, queueOf(provider), [{ ...this.#entry("quota", provider), quota: windows }]);
      await new GateControl(redis).setQuota(queueOf(provider), quota);
    });
    return quota;
  }

  /** Back to the quota of the workers' settings, which is given back; empty where no worker was started yet. */
  async resetQuota(provider: ProviderName): Promise<Quota> {
    return await this.#use(async ({ redis }) => {
      await appendAudit(redis, queueOf(provider), [{ ...this.#entry("quota", provider), quota: null }]);
      return await new GateControl(redis).resetQuota(queueOf(provider));
    });
  }

  /**
   * Lifts the hold of one scope (`user_code:X`, `initiator_id:X`, `operation:NAME`), or all that stops the whole credential:
   * hold, breaker, pause, also one of its queue in BullMQ. The gate as it was before.
   * @throws SatyapanError `bad-input` where nothing of the kind is held
   */
  async resume(provider: ProviderName, scope: string | null = null): Promise<GateState> {
    if (scope !== null) checkScope(scope);
    return await this.#use(async ({ redis, queues }) => {
      const control = new GateControl(redis);
      const before = await control.read(queueOf(provider));
      const isLifted = await control.resume(queueOf(provider), scope);
      const wasPaused = scope === null && before.queuePause !== null;
      if (wasPaused) await queues.resume(queueOf(provider));
      if (isLifted || wasPaused) {
        const entry = { ...this.#entry("hold", provider), event: "resume", scope: auditedScope(scope) } as const;
        await appendAudit(redis, queueOf(provider), [entry]);
        if (scope !== null) await wakeHeld({ redis, queues }, queueOf(provider), scope);
        return before;
      }
      throw notHeld(provider, scope, before.holds);
    });
  }

  #entry<Kind extends "quota" | "hold">(kind: Kind, provider: ProviderName) {
    const { name: actor, now } = this.#actor;
    return { at: new Date(now()).toISOString(), kind, actor, provider };
  }
}

/** An initiator is often somebody's mobile number. */
function auditedScope(scope: string | null): string | null {
  return scope?.replace(/^initiator_id:(?!default$).*/, "initiator_id:…") ?? null;
}

function checkScope(scope: string): void {
  const [, operation] = /^operation:(.+)$/.exec(scope) ?? [];
  if (operation !== undefined) findOperation(operation);
  else if (!/^(?:user_code|initiator_id):[^\s:]{1,64}$/.test(scope)) {
    const message =
      "scope: must be user_code:VALUE, initiator_id:VALUE (`default` for that of the settings) or operation:NAME";
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
}

function notHeld(provider: ProviderName, scope: string | null, holds: readonly Hold[]): SatyapanError {
  const what = scope === null ? provider : `${scope} of ${provider}`;
  const scopes = holds.flatMap((hold) => hold.scope ?? []);
  const whole = holds.some((hold) => hold.scope === null);
  const held = [
    ...(whole ? [`${provider} as a whole is (leave --scope out)`] : []),
    ...(scopes.length > 0 ? [`${scopes.join(", ")} ${scopes.length === 1 ? "is" : "are"} (name it with --scope)`] : []),
  ].join("; ");
  return new SatyapanError(
    ErrorCode.BAD_INPUT,
    `${what} is not held, there is nothing to resume${held === "" ? "" : `; ${held}`}`,
  );
}
