import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { ALERTS } from "../../deploy/prometheus/rules.ts";
import { readText, ROOT, service } from "./compose-file.ts";

const Matchers = z.array(z.string());
const Configuration = z.looseObject({
  inhibit_rules: z.array(
    z.object({ source_matchers: Matchers, target_matchers: Matchers, equal: z.array(z.string()).default([]) }),
  ),
  receivers: z.array(z.object({ name: z.string(), webhook_configs: z.array(z.object({ url: z.string() })) })),
});
const { inhibit_rules, receivers } = Configuration.parse(parse(readText("deploy/alertmanager/alertmanager.yml")));

type Labels = Readonly<Record<string, string>>;

function labelsOf(name: string, more: Labels = {}): Labels {
  const alert = ALERTS.find((one) => one.name === name);
  if (alert === undefined) throw new Error(`no alert ${name}`);
  const { severity, layer, isRoot, slo } = alert;
  const root: Labels = isRoot === true ? { root: "true" } : {};
  return { alertname: `Satyapan${name}`, severity, layer, ...root, ...(slo === undefined ? {} : { slo }), ...more };
}

/** As Alertmanager does it: https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule */
function isSilent(target: Labels, firing: readonly Labels[]): boolean {
  return inhibit_rules.some(({ source_matchers, target_matchers, equal }) => {
    if (!matches(target, target_matchers)) return false;
    return firing.some(
      (source) =>
        matches(source, source_matchers) &&
        !(matches(source, target_matchers) && matches(target, source_matchers)) &&
        equal.every((label) => (source[label] ?? "") === (target[label] ?? "")),
    );
  });
}

function matches(labels: Labels, matchers: readonly string[]): boolean {
  return matchers.every((matcher) => {
    const [, name = "", operator = "", value = ""] = /^(\w+)(=~|!~|!=|=)"(.*)"$/.exec(matcher) ?? [];
    const found = labels[name] ?? "";
    if (operator.endsWith("~")) return new RegExp(`^(?:${value})$`).test(found) === (operator === "=~");
    return (operator === "=") === (found === value);
  });
}

describe("one incident is one page:", () => {
  it.each([
    [
      "Redis is away",
      "RedisDown",
      ["NoWorkerReady", "WorkerNotReady", "ClosingsUnwritten", "OldestWaiting", "FeederStopped", "HeartbeatLost"],
      {},
    ],
    [
      "Redis is full",
      "RedisRefusesWrites",
      ["RedisFillsUp", "NoWorkerReady", "WorkerNotReady", "ClosingsUnwritten"],
      {},
    ],
    [
      "no worker answers",
      "NoWorker",
      ["WorkerDown", "OldestWaiting", "CallsFailFast", "FeederStopped", "HeartbeatLost"],
      {},
    ],
    [
      "a provider is out",
      "BreakerOpen",
      ["CallsFailFast", "ProviderSlow", "Throttled", "OldestWaiting", "JobsFail", "BatchStopped", "OnboardingStuck"],
      { provider: "eko" },
    ],
    ["a storm of 429s", "ThrottledHard", ["Throttled", "OldestWaiting"], { provider: "eko" }],
    ["calls fail fast", "CallsFailFast", ["CallsFailSteady", "CallsFailSlow"], { provider: "eko" }],
    ["a provider refuses us", "ProviderHeld", ["CallsFailFast", "OldestWaiting"], { provider: "eko" }],
    ["nobody feeds", "FeederStopped", ["OnboardingStuck", "HeartbeatLost"], { provider: "eko" }],
    ["a batch stops", "BatchStopped", ["JobsFail"], { provider: "eko" }],
    ["the day's quota is gone", "QuotaGone", ["QuotaRunsOut", "OldestWaiting", "Throttled"], { provider: "eko" }],
  ] as const)("%s", (_, root, others, more) => {
    const firing = [root, ...others].map((name) => labelsOf(name, more));
    expect(firing.filter((alert) => !isSilent(alert, firing)).map(({ alertname }) => alertname)).toEqual([
      `Satyapan${root}`,
    ]);
  });

  it("what is lost, unknown or in clear is told beside anything, and so is the other provider", () => {
    const eko = labelsOf("BreakerOpen", { provider: "eko" });
    for (const name of ["JobsUnknown", "PrivacyFindings", "RedisDataLost"]) {
      expect(isSilent(labelsOf(name), [eko, labelsOf("RedisDown"), labelsOf("NoWorker")]), name).toBe(false);
    }
    expect(isSilent(labelsOf("CallsFailFast", { provider: "deepvue" }), [eko])).toBe(false);
    expect(isSilent(labelsOf("BreakerOpen", { provider: "deepvue" }), [eko])).toBe(false);
  });

  it("a worker without a key says so once, and another that is not ready for another reason is told", () => {
    const missing = labelsOf("KeyMissing", { instance: "a" });
    expect(isSilent(labelsOf("WorkerNotReady", { instance: "a" }), [missing])).toBe(true);
    expect(isSilent(labelsOf("WorkerNotReady", { instance: "b" }), [missing])).toBe(false);
  });
});

describe("alertmanager.yml", () => {
  it("is accepted by amtool", async ({ skip }) => {
    const file = new URL("deploy/alertmanager/alertmanager.yml", ROOT).pathname;
    const checked = promisify(execFile)("amtool", ["check-config", file]).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    });
    const output = await checked;
    if (output === null) skip("amtool is not on the PATH (Debian: apt-get install prometheus-alertmanager)");
    else expect(output.stdout).toContain("SUCCESS");
  });

  it("is mounted in compose, where Prometheus looks for it", () => {
    expect(service("alertmanager").volumes).toContain("./deploy/alertmanager:/etc/alertmanager:ro");
    expect(service("alertmanager").networks).toEqual(["metrics"]);
    expect(readText("deploy/prometheus/prometheus.yml")).toContain("alertmanager:9093");
  });

  it("calls the pager of compose, where both can reach it", () => {
    const [port = ""] = service("pager").ports;
    expect(port).toMatch(/:9465$/);
    expect(service("pager").networks).toEqual(["metrics"]);
    const urls = receivers.map(({ name, webhook_configs }) => [name, ...webhook_configs.map(({ url }) => url)]);
    expect(urls).toEqual([
      ["on-call", "http://pager:9465/"],
      ["tickets", "http://pager:9465/"],
    ]);
  });
});
