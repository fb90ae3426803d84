import { describe, expect, it } from "vitest";
import { processFindings } from "../../../producers/doctor/process-findings.ts";
import { tlsFindings } from "../../../producers/doctor/redis-findings.ts";
import type { Exposure } from "../../../src/privacy/hygiene.ts";
import { parseSettings } from "../../../src/config/parse-settings.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { PLAIN_TLS } from "../../../src/redis/tls.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { Authority } from "../../support/certificates.ts";
import { testKeys } from "../../support/client.ts";

const DAY_MS = 86_400_000;
const NOW = Date.now();

describe("what satyapan doctor finds of its process", () => {
  const exposures: readonly Exposure[] = [
    { what: "debugger", grave: true, detail: "open" },
    { what: "core dumps", grave: false, detail: "on" },
  ];
  const settingsFor = (baseUrl: string) => {
    const deepvue = { DEEPVUE_CLIENT_ID: "a", DEEPVUE_CLIENT_SECRET: "b", DEEPVUE_BASE_URL: baseUrl };
    const env = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1", ...deepvue };
    return parseSettings(env, { readFile: () => "", operations: [] });
  };

  it("fails where a worker would be refused for it, warns otherwise, and is content with nothing", () => {
    const real = settingsFor("https://production.deepvue.tech");
    expect(processFindings(exposures, real)).toEqual([
      { check: "debugger", status: "failed", detail: "open", exitCode: 2 },
      { check: "core dumps", status: "warning", detail: "on" },
    ]);
    const simulated = processFindings(exposures, settingsFor("http://127.0.0.1:4010"));
    expect(simulated.map(({ status }) => status)).toEqual(["warning", "warning"]);
    expect(processFindings([], real)).toEqual([
      { check: "process", status: "ok", detail: "no debugger, no dumps, no debug output" },
    ]);
  });
});

describe("what satyapan doctor finds of TLS to Redis", () => {
  const target = parseRedisUrl("rediss://redis.example");
  const withClient = (days: number) => {
    const { cert, key } = new Authority("a").issue("worker", { notAfter: new Date(NOW + days * DAY_MS) });
    return { target, tls: { ca: null, client: { certificate: cert, key: new Secret(key) } } };
  };

  it("says that it is encrypted and until when the client certificate lasts, and warns three weeks before", () => {
    expect(tlsFindings({ target: parseRedisUrl("redis://redis.example"), tls: PLAIN_TLS }, NOW)).toEqual([]);
    expect(tlsFindings({ target, tls: PLAIN_TLS }, NOW)).toMatchObject([{ check: "redis TLS", status: "ok" }]);
    expect(tlsFindings(withClient(30), NOW)).toMatchObject([{ status: "ok" }]);
    const [soon] = tlsFindings(withClient(20), NOW);
    expect(soon?.status).toBe("warning");
    expect(soon?.detail).toMatch(
      /^encrypted, with a client certificate until \d{4}-.+Z: renew the one in REDIS_TLS_CERT soon$/,
    );
  });
});
