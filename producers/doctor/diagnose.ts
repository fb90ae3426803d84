import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { exposuresOf, processFacts } from "../../src/privacy/hygiene.ts";
import { loadSettings } from "../../src/command/settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import { isDrift } from "../../src/providers/clock-offset.ts";
import { createEkoSigner } from "../../src/providers/eko/signature.ts";
import { type Probe, probeDeepvue, probeEko } from "./probe.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { failure, type Finding, worstFirst } from "./finding.ts";
import { processFindings } from "./process-findings.ts";
import { redisFindings } from "./redis-findings.ts";

export type { Finding } from "./finding.ts";

const PROBE_TIMEOUT_MS = 10_000;
/** Published with its signature: facts/eko §1.2, V1. */
const VECTOR = {
  accessKey: "TEST_ACCESS_KEY_DO_NOT_USE",
  at: 1_700_000_000_000,
  secretKey: "u30ak/iOGwKCaspqCeiYng8fd98QDx7kF3DBBOadQHk=",
};

/** Looks at everything a worker depends on and at what holds jobs back; says of each what is wrong and how to mend it, worst first. */
export async function diagnose(context: CommandContext): Promise<Finding[]> {
  let settings: Settings;
  try {
    settings = loadSettings(context);
  } catch (error) {
    return [failure("settings", error)];
  }
  const { eko, deepvue } = settings;
  const providers = [eko === null ? null : "eko", deepvue === null ? null : "deepvue"].filter((name) => name !== null);
  const none = "no provider has settings: a worker would refuse to start (producers need none)";
  const settingsFinding: Finding = {
    check: "settings",
    status: providers.length === 0 ? "warning" : "ok",
    detail: providers.length === 0 ? none : `complete for ${providers.join(" and ")}`,
  };
  const vector = createEkoSigner(new Secret(VECTOR.accessKey))(VECTOR.at).secretKey === VECTOR.secretKey;
  const signature: Finding = vector
    ? { check: "signature", status: "ok", detail: "the published test vector is met" }
    : { check: "signature", status: "failed", detail: "the published test vector is missed: this build is broken" };
  const probes = await Promise.all([
    eko === null
      ? []
      : probeEko(eko, PROBE_TIMEOUT_MS, context.now).then((probe) => describe("eko", eko.baseUrl, probe)),
    deepvue === null
      ? []
      : probeDeepvue(deepvue, PROBE_TIMEOUT_MS, context.now).then((probe) =>
          describe("deepvue", deepvue.baseUrl, probe),
        ),
  ]);
  const redis = await redisFindings(context, settings);
  return worstFirst([
    settingsFinding,
    ...settings.warnings.map((detail): Finding => ({ check: "settings", status: "warning", detail })),
    ...processFindings(exposuresOf(processFacts(context)), settings),
    ...redis,
    signature,
    ...probes.flat(),
  ]);
}

/** What to look at when a provider refuses. */
const CREDENTIALS = {
  eko: "EKO_DEVELOPER_KEY and EKO_ACCESS_KEY",
  deepvue: "DEEPVUE_CLIENT_ID and DEEPVUE_CLIENT_SECRET",
} as const satisfies Record<ProviderName, string>;

function describe(provider: ProviderName, baseUrl: URL, probe: Probe): Finding[] {
  const check = `${provider} credentials`;
  const where = `${provider.toUpperCase()}_BASE_URL`;
  if (probe.httpStatus === null) {
    const detail = `no reply from ${baseUrl.host} (${probe.reason}): check ${where} and the network`;
    return [{ check, status: "failed", detail, exitCode: ExitCode.UNREACHABLE }];
  }
  const credentials: Finding =
    probe.accepted === true
      ? { check, status: "ok", detail: `${baseUrl.host} took them (HTTP ${probe.httpStatus})` }
      : probe.accepted === false
        ? {
            check,
            status: "failed",
            detail: `${baseUrl.host} refused them (HTTP ${probe.httpStatus}): check ${CREDENTIALS[provider]}, whether ${where} is of the same environment, and the provider's IP allow-list`,
          }
        : {
            check,
            status: "warning",
            detail: `${baseUrl.host} answered HTTP ${probe.httpStatus}, which tells nothing about them`,
          };
  return [credentials, clockFinding(provider, probe.clockOffsetMs)];
}

function clockFinding(provider: string, offsetMs: number | null): Finding {
  const check = `${provider} clock`;
  if (offsetMs === null) return { check, status: "skipped", detail: "the provider sent no Date header" };
  const detail = `${Math.abs(Math.round(offsetMs / 1_000))} s ${offsetMs < 0 ? "behind" : "ahead of"} ours`;
  if (!isDrift(offsetMs)) return { check, status: "ok", detail: "agrees with ours" };
  return { check, status: "failed", detail: `${detail}: set this machine's clock (NTP), or signatures are refused` };
}
