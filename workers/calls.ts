import { type Monotonic, steadyClock } from "../src/base/sleepless-clock.ts";
import { assertNever } from "../src/base/assert-never.ts";
import type { Settings } from "../src/config/settings.ts";
import type { DeepvueSettings } from "../src/providers/deepvue/settings.ts";
import type { EkoSettings } from "../src/providers/eko/settings.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { Operation } from "../src/operations/operation.ts";
import type { OpenInput } from "../src/providers/call.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import { ClockOffset, isSignedOffTime, readDate } from "../src/providers/clock-offset.ts";
import { deepvueCall } from "../src/providers/deepvue/call.ts";
import { ekoCall } from "../src/providers/eko/call.ts";
import { type AadhaarEncryption, createAadhaarEncryption } from "../src/providers/eko/encryption.ts";
import { createEkoSigner, type EkoSigner } from "../src/providers/eko/signature.ts";
import type { HttpCall, HttpReply } from "../src/providers/http.ts";
import { createTransport, type Transport } from "../src/providers/transport.ts";

/** A request that is built and only has to be sent. It holds personal data: never logged, thrown or kept. */
export interface PreparedCall {
  readonly method: HttpCall["method"];
  /**
   * Signs for this very moment and sends, but not after `writeBefore` (by the monotonic clock; null: whenever). `onSigned`: from then on
   * a byte of it may be written. Rejects only by a fault of ours, before that.
   */
  send(writeBefore: number | null, onSigned?: () => void): Promise<HttpReply>;
}

interface Eko {
  readonly settings: EkoSettings;
  readonly signer: EkoSigner;
  readonly encryptAadhaar: AadhaarEncryption | null;
  readonly transport: Transport;
  readonly clock: ClockOffset;
}

interface Deepvue {
  readonly settings: DeepvueSettings;
  readonly transport: Transport;
  readonly clock: ClockOffset;
}

/** Of the times that Eko takes, with 13 digits; a machine without a clock begins in 1970, and learns the time from the first refusal. */
const EARLIEST = 1_000_000_000_000;

/** Called when a provider's clock and ours begin to differ, and when they agree again (`offsetMs` within the tolerance). */
export type OnDrift = (provider: ProviderName, offsetMs: number) => void;

/** The providers this process has settings for: one connection pool each. */
export class Providers {
  readonly #eko: Eko | null;
  readonly #deepvue: Deepvue | null;
  readonly #paths: Settings["paths"];
  readonly #now: () => number;
  readonly #onDrift: OnDrift;

  constructor(
    settings: Pick<Settings, "eko" | "deepvue" | "paths" | "calls" | "worker">,
    now: () => number,
    onDrift: OnDrift = () => {},
    monotonic: Monotonic = steadyClock,
  ) {
    const transport = (baseUrl: URL): Transport =>
      createTransport({
        origin: baseUrl.origin,
        timeoutMs: settings.calls.timeoutMs,
        connections: settings.worker.concurrency,
        monotonic,
      });
    const { eko, deepvue } = settings;
    this.#eko =
      eko === null
        ? null
        : {
            settings: eko,
            signer: createEkoSigner(eko.accessKey),
            encryptAadhaar: eko.aadhaarPublicKey === null ? null : createAadhaarEncryption(eko.aadhaarPublicKey),
            transport: transport(eko.baseUrl),
            clock: new ClockOffset(),
          };
    this.#deepvue =
      deepvue === null ? null : { settings: deepvue, transport: transport(deepvue.baseUrl), clock: new ClockOffset() };
    this.#paths = settings.paths;
    this.#now = now;
    this.#onDrift = onDrift;
  }

  get served(): ProviderName[] {
    const served: ProviderName[] = [];
    if (this.#eko !== null) served.push("eko");
    if (this.#deepvue !== null) served.push("deepvue");
    return served;
  }

  /** Builds an attempt's request. Throws SatyapanError where a setting it needs is missing. */
  prepare(operation: Operation, input: OpenInput, clientRefId: string): PreparedCall {
    const path = this.#paths[operation.name] ?? operation.path;
    switch (operation.provider) {
      case "eko": {
        const eko = configured(this.#eko, operation.provider);
        const { settings, signer, encryptAadhaar, clock } = eko;
        const request = operation.prepare(input, { settings, path, clientRefId, encryptAadhaar });
        // Signed by the provider's clock where ours is known to be wrong: a 403 for it then heals by itself at the next try.
        return this.#sendable("eko", request.method, eko, () =>
          ekoCall(request, settings, signer, Math.max(EARLIEST, this.#now() + clock.correctionMs)),
        );
      }
      case "deepvue": {
        const deepvue = configured(this.#deepvue, operation.provider);
        const { settings } = deepvue;
        const request = operation.prepare(input, { settings, path, clientRefId });
        return this.#sendable("deepvue", request.method, deepvue, () => deepvueCall(request, settings));
      }
      default:
        return assertNever(operation, "provider");
    }
  }

  /** Each served provider's clock minus ours, in ms, as learnt from its replies. */
  clockOffsets(): (readonly [ProviderName, number])[] {
    const clocks = { eko: this.#eko?.clock, deepvue: this.#deepvue?.clock };
    return this.served.map((name) => [name, clocks[name]?.offsetMs ?? 0] as const);
  }

  /** Ends calls under way, as `destroy` does, and takes no more; connections stay. */
  abort(): void {
    this.#eko?.transport.abort();
    this.#deepvue?.transport.abort();
  }

  /** Ends calls under way, which become `unknown` or `unavailable`, and closes all connections. */
  async destroy(): Promise<void> {
    await Promise.all([this.#eko?.transport.destroy(), this.#deepvue?.transport.destroy()]);
  }

  #sendable(
    name: ProviderName,
    method: HttpCall["method"],
    { transport, clock }: Eko | Deepvue,
    call: () => HttpCall,
  ): PreparedCall {
    return {
      method,
      send: async (writeBefore, onSigned) => {
        const sentAt = this.#now();
        const signedWith = clock.correctionMs;
        const signed = call();
        onSigned?.();
        const reply = await transport.send(signed, writeBefore);
        const dateMs = reply.kind === "reply" ? readDate(reply.headers) : null;
        if (dateMs !== null) {
          const drifted = clock.correctionMs !== 0;
          clock.observe({ dateMs, sentAt, receivedAt: this.#now() });
          if (drifted !== (clock.correctionMs !== 0)) this.#onDrift(name, clock.offsetMs);
        }
        // Deepvue's calls are not signed.
        const wasOff = name === "eko" && isSignedOffTime(signedWith, clock.correctionMs);
        return reply.kind === "reply" && wasOff ? { ...reply, wasSignedOffTime: true } : reply;
      },
    };
  }
}

function configured<T>(provider: T | null, name: ProviderName): T {
  if (provider !== null) return provider;
  throw new SatyapanError(ErrorCode.BAD_SETTINGS, `this worker has no settings of ${name}`);
}
