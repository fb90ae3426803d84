import type { DeepvueSettings } from "../../src/providers/deepvue/settings.ts";
import type { EkoSettings } from "../../src/providers/eko/settings.ts";
import { noReplyWord } from "../../src/outcomes/no-reply.ts";
import { ClockOffset, readDate } from "../../src/providers/clock-offset.ts";
import { deepvueCall } from "../../src/providers/deepvue/call.ts";
import { ekoCall } from "../../src/providers/eko/call.ts";
import { createEkoSigner } from "../../src/providers/eko/signature.ts";
import type { HttpReply, ProviderRequest } from "../../src/providers/http.ts";
import { createTransport } from "../../src/providers/transport.ts";

/** What a call that changes nothing tells about a provider and our credentials. */
export interface Probe {
  /** Null: no reply; `reason` says why. */
  readonly httpStatus: number | null;
  readonly reason: string | null;
  /** The provider's clock minus ours, in ms (`ClockOffset`); null where it does not send its `Date`. */
  readonly clockOffsetMs: number | null;
  /** Whether it took our credentials (and, with Eko, the signature); null where that cannot be told. */
  readonly accepted: boolean | null;
}

/** A signed OTP request without its number: a wrong signature is a 403, a right one "provide the value" (facts/eko §8.6). */
const EKO_PROBE: ProviderRequest = { method: "POST", path: "/tools/kyc/mobile/otp", query: {}, body: {} };
/** Reads the prepaid balance, with the same key pair (facts/deepvue §3). */
const DEEPVUE_PROBE: ProviderRequest = { method: "GET", path: "/v1/internal/wallet-balance", query: {}, body: null };

export async function probeEko(settings: EkoSettings, timeoutMs: number, now: () => number): Promise<Probe> {
  const signer = createEkoSigner(settings.accessKey);
  return await probe(settings.baseUrl, timeoutMs, now, () => ekoCall(EKO_PROBE, settings, signer, now()));
}

export async function probeDeepvue(settings: DeepvueSettings, timeoutMs: number, now: () => number): Promise<Probe> {
  return await probe(settings.baseUrl, timeoutMs, now, () => deepvueCall(DEEPVUE_PROBE, settings));
}

async function probe(
  baseUrl: URL,
  timeoutMs: number,
  now: () => number,
  call: () => Parameters<ReturnType<typeof createTransport>["send"]>[0],
): Promise<Probe> {
  const transport = createTransport({ origin: baseUrl.origin, timeoutMs });
  try {
    const sentAt = now();
    return readProbe(await transport.send(call()), sentAt, now());
  } finally {
    await transport.close();
  }
}

/** For example `not sent: ECONNREFUSED` or `no reply: timeout`. */
function noReplyText({ written, cause }: Extract<HttpReply, { kind: "none" }>): string {
  return `${written ? "no reply" : "not sent"}: ${noReplyWord(cause)}`;
}

function readProbe(reply: HttpReply, sentAt: number, receivedAt: number): Probe {
  if (reply.kind === "none")
    return { httpStatus: null, reason: noReplyText(reply), clockOffsetMs: null, accepted: null };
  const dateMs = readDate(reply.headers);
  const clock = new ClockOffset();
  if (dateMs !== null) clock.observe({ dateMs, sentAt, receivedAt });
  const refused = reply.status === 401 || reply.status === 403;
  return {
    httpStatus: reply.status,
    reason: null,
    clockOffsetMs: dateMs === null ? null : clock.offsetMs,
    accepted: refused ? false : reply.status < 400 ? true : null,
  };
}
