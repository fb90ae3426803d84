import {
  type ConfigurationPatch,
  DEFAULT_CONFIGURATION,
  patched,
  type SimulatorConfiguration,
} from "./configuration.ts";
import type { SimulatorCredentials } from "./credentials.ts";
import { PendingWindow } from "./deepvue/pending-window.ts";
import type { Draw } from "./draw.ts";
import type { AadhaarKeys } from "./eko/aadhaar-keys.ts";
import { FaultPlan } from "./fault-plan.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { type IssuedOtp, OtpBook } from "./otp-book.ts";
import { Outbox } from "./outbox.ts";
import { type QuotaCount, QuotaCounter } from "./quota-counter.ts";
import { type RequestCount, RequestLog, type SimulatedProvider } from "./request-log.ts";
import { SenderBook } from "./sender-book.ts";

/** What is given once and stays. */
export interface WorldGiven {
  readonly now: () => number;
  readonly draw: Draw;
  readonly credentials: SimulatorCredentials;
  readonly aadhaarKeys: AadhaarKeys;
  readonly configuration: ConfigurationPatch;
  readonly keepRequests: boolean;
  readonly outboxLimit: number;
  readonly heartbeat?: Heartbeat | undefined;
}

export interface SimulatorStats {
  /** Requests since the start or the last `reset`. */
  readonly requests: number;
  /** Arrived and not yet answered. */
  readonly open: number;
  readonly by_operation: readonly RequestCount[];
  readonly quotas: Readonly<Record<SimulatedProvider, QuotaCount>>;
  readonly otps_sent: number;
  /** Persons who were sent more than one OTP by one operation. */
  readonly sent_more_than_once: readonly { readonly operation: string; readonly to: string; readonly count: number }[];
}

export interface OtpToSend extends Omit<IssuedOtp, "otp" | "expiresAt"> {
  /** What the outbox shows. */
  readonly reference: string;
  readonly clientRefId: string | null;
}

/** Everything the simulated providers know and remember. */
export class World {
  readonly given: WorldGiven;
  readonly otps = new OtpBook();
  readonly senders = new SenderBook();
  readonly pending = new PendingWindow();
  readonly outbox: Outbox;
  readonly requests: RequestLog;
  /** Calls that alternate count here, by operation. */
  readonly turns = new Map<string, number>();
  #configuration: SimulatorConfiguration;
  #quotas: Readonly<Record<SimulatedProvider, QuotaCounter>>;
  #faults: FaultPlan;

  constructor(given: WorldGiven) {
    this.given = given;
    this.outbox = new Outbox(given.outboxLimit);
    this.requests = new RequestLog(given.keepRequests);
    this.#configuration = patched(DEFAULT_CONFIGURATION, given.configuration);
    this.#quotas = this.#newQuotas();
    this.#faults = this.#newFaults();
  }

  get configuration(): SimulatorConfiguration {
    return this.#configuration;
  }

  get draw(): Draw {
    return this.given.draw;
  }

  get quotas(): Readonly<Record<SimulatedProvider, QuotaCounter>> {
    return this.#quotas;
  }

  get faults(): FaultPlan {
    return this.#faults;
  }

  get heartbeat(): Heartbeat | undefined {
    return this.given.heartbeat;
  }

  now(): number {
    return this.given.now();
  }

  /** Counters of quotas and of faults start anew where their settings are part of the patch. */
  configure(patch: unknown): void {
    const before = this.#configuration;
    this.#configuration = patched(before, patch);
    const { quotas, enforceQuotas, faults, endings } = this.#configuration;
    const sameWindows = quotas.eko === before.quotas.eko && quotas.deepvue === before.quotas.deepvue;
    if (!sameWindows || enforceQuotas !== before.enforceQuotas) this.#quotas = this.#newQuotas();
    if (faults !== before.faults || endings !== before.endings) this.#faults = this.#newFaults();
  }

  /** Forgets everything and takes the configuration it was started with. */
  reset(): void {
    for (const memory of [this.otps, this.senders, this.pending, this.outbox, this.requests, this.turns])
      memory.clear();
    this.#configuration = patched(DEFAULT_CONFIGURATION, this.given.configuration);
    this.#quotas = this.#newQuotas();
    this.#faults = this.#newFaults();
  }

  /** A random OTP of six digits, put into the book and into the outbox. */
  sendOtp(message: OtpToSend): IssuedOtp {
    const at = this.now();
    const { operation, handle, to, mobile, referenceTid, reference, clientRefId } = message;
    const otp = this.draw.digits(6);
    const issued = { operation, handle, to, mobile, referenceTid, otp, expiresAt: at + this.configuration.otpTtlMs };
    this.otps.issue(issued, at);
    this.outbox.post({ at, to, mobile, operation, otp, reference, client_ref_id: clientRefId });
    return issued;
  }

  /** Draws until the book does not have it: eight digits meet again among a few thousand. */
  unusedReference(draw: () => string): string {
    for (;;) {
      const reference = draw();
      if (!this.otps.has(reference)) return reference;
    }
  }

  /** 0, 1, 2 … for each call with the same name. */
  turn(name: string): number {
    const turn = this.turns.get(name) ?? 0;
    this.turns.set(name, turn + 1);
    return turn;
  }

  stats(): SimulatorStats {
    return {
      requests: this.requests.arrived,
      open: this.requests.open,
      by_operation: this.requests.counts(),
      quotas: { eko: this.quotas.eko.toJSON(), deepvue: this.quotas.deepvue.toJSON() },
      otps_sent: this.outbox.sent,
      sent_more_than_once: this.outbox.repeated(),
    };
  }

  #newQuotas(): Readonly<Record<SimulatedProvider, QuotaCounter>> {
    const { quotas, enforceQuotas } = this.#configuration;
    return {
      eko: new QuotaCounter(quotas.eko, enforceQuotas),
      deepvue: new QuotaCounter(quotas.deepvue, enforceQuotas),
    };
  }

  #newFaults(): FaultPlan {
    return new FaultPlan(this.#configuration.faults, this.#configuration.endings, this.draw);
  }
}
