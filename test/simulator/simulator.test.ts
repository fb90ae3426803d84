import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { seededRandom } from "../../simulator/draw.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { AGENT, type Answered, type Bundle, NOW, setup } from "./setup.ts";

const AADHAAR = madeUpAadhaar(1);
const MOBILE = madeUpMobile(1);

async function mobileOtp(bundle: Bundle, client_ref_id = "ref-1", mobile = MOBILE): Promise<Answered> {
  return bundle.eko("POST", "/tools/kyc/mobile/otp", { ...AGENT, csp_id: mobile, mobile, client_ref_id });
}

async function generate(bundle: Bundle, aadhaar_number = AADHAAR): Promise<Answered> {
  return bundle.deepvue("/v2/ekyc/aadhaar/generate-otp", { aadhaar_number, consent: "Y", purpose: "ForKYC" });
}

describe("startSimulator", () => {
  it("names all settings that a Satyapan process needs", async () => {
    await using simulator = await startSimulator();
    expect(simulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(simulator.env).toMatchObject({
      EKO_BASE_URL: `${simulator.url}/ekoapi/v3`,
      DEEPVUE_BASE_URL: simulator.url,
    });
    expect(Object.values(simulator.env).every((value) => /^\S+$/.test(value))).toBe(true);
  });

  it("takes the key pair that it is given", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const aadhaarPrivateKey = privateKey.export({ format: "pem", type: "pkcs1" }).toString();
    await using one = await startSimulator({ aadhaarPrivateKey });
    await using other = await startSimulator({ aadhaarPrivateKey });
    expect(one.env.EKO_AADHAAR_PUBLIC_KEY).toBe(other.env.EKO_AADHAAR_PUBLIC_KEY);
    expect(createPrivateKey(aadhaarPrivateKey).asymmetricKeyDetails?.modulusLength).toBe(1024);
  });

  it("says that a port is taken, and how to mend it", async () => {
    await using first = await startSimulator();
    const port = Number(new URL(first.url).port);
    await expect(startSimulator({ port })).rejects.toMatchObject({
      code: ErrorCode.PORT_TAKEN,
      message: `Port ${port} on 127.0.0.1 is already in use: choose another with --port, or 0 for a free one.`,
    });
  });

  it("refuses a wrong configuration before it listens", async () => {
    const configuration = { latencyMs: { min: -1, max: 0 } };
    await expect(startSimulator({ configuration })).rejects.toMatchObject({ code: ErrorCode.BAD_SETTINGS });
  });

  it("sends the same OTPs with the same seed", async () => {
    const outboxes = await Promise.all(
      [5, 5, 6].map(async (seed) => {
        await using bundle = await setup({ random: seededRandom(seed) });
        await mobileOtp(bundle);
        await generate(bundle);
        return bundle.simulator.outbox.map(({ otp, reference }) => [otp, reference]);
      }),
    );
    expect(outboxes[0]).toEqual(outboxes[1]);
    expect(outboxes[0]).not.toEqual(outboxes[2]);
  });
});

describe("the record of requests", () => {
  it("tells of each what was asked, answered and done", async () => {
    await using bundle = await setup();
    await mobileOtp(bundle);
    bundle.clock.ms += 5;
    await generate(bundle);
    await generate(bundle);
    await bundle.eko("GET", `/customer/payment/dmt-levin/sender/${MOBILE}`, AGENT);
    await bundle.deepvue("/v2/nothing", {});
    expect(bundle.simulator.requests).toMatchObject([
      {
        seq: 1,
        at: NOW,
        came_after: null,
        method: "POST",
        route: "/ekoapi/v3/tools/kyc/mobile/otp",
        provider: "eko",
        operation: "eko.mobile-otp",
        step: "send",
        client_ref_id: "ref-1",
        person: MOBILE,
        status: 200,
        code: "0",
        committed: "otp-sent",
        fault: null,
        over_quota: false,
        ms: 0,
      },
      { seq: 2, at: NOW + 5, person: AADHAAR, code: "SUCCESS", committed: "otp-sent", client_ref_id: null },
      { seq: 3, status: 409, code: "VERIFICATION_PENDING", committed: null },
      { seq: 4, route: "/ekoapi/v3/customer/payment/dmt-levin/sender/{customer_id}", step: "read", person: MOBILE },
      { seq: 5, route: "unknown", provider: null, operation: null, status: 404 },
    ]);
  });

  it("is left out on request, while the counts go on", async () => {
    await using bundle = await setup({ keepRequests: false, outboxLimit: 1 });
    for (let index = 0; index < 5; index += 1) await mobileOtp(bundle, "ref", madeUpMobile(index));
    expect(bundle.simulator.requests).toEqual([]);
    expect(bundle.simulator.outbox.length).toBeLessThanOrEqual(2);
    expect(bundle.simulator.stats()).toMatchObject({
      requests: 5,
      open: 0,
      otps_sent: 5,
      by_operation: [{ operation: "eko.mobile-otp", status: "200", count: 5 }],
    });
  });

  it("names who was sent more than one OTP", async () => {
    await using bundle = await setup();
    await mobileOtp(bundle, "ref-1");
    await mobileOtp(bundle, "ref-2");
    await generate(bundle);
    expect(bundle.simulator.stats().sent_more_than_once).toEqual([
      { operation: "eko.mobile-otp", to: MOBILE, count: 2 },
    ]);
  });

  it("logs one line per request, without a number, a reference or a path", async () => {
    const lines: string[] = [];
    await using bundle = await setup({ log: (line) => lines.push(line) });
    await mobileOtp(bundle);
    await generate(bundle, madeUpAadhaar(1, "503"));
    await bundle.eko("POST", `/customer/payment/${MOBILE}`, {});
    await bundle.control("GET", "stats");
    expect(lines).toEqual(["eko.mobile-otp 200 0 ms", "deepvue.aadhaar-otp 503 0 ms unavailable", "unknown 404 0 ms"]);
  });
});

describe("quotas", () => {
  const deepvue = [
    { max: 1, ms: 1_000 },
    { max: 2, ms: 60_000 },
  ];

  it("answers 429 when any window is full, each provider by its own", async () => {
    await using bundle = await setup({ configuration: { quotas: { deepvue }, pendingWindowMs: 0 } });
    const statuses: number[] = [];
    for (const step of [0, 999, 1, 1_000, 57_999, 1]) {
      bundle.clock.ms += step;
      statuses.push((await generate(bundle)).status);
    }
    expect(statuses).toEqual([200, 429, 200, 429, 429, 200]);
    expect(await mobileOtp(bundle)).toMatchObject({ status: 200 });
    expect(bundle.simulator.stats().quotas).toMatchObject({
      deepvue: { overruns: 3, refused: 3, windows: [{ overruns: 1 }, { overruns: 2, peak: 2 }] },
      eko: { overruns: 0, windows: [] },
    });
    expect(bundle.simulator.requests.filter((request) => request.over_quota)).toHaveLength(3);
  });

  it("says in the documented words that it is enough, and when to come back only if it is set so", async () => {
    await using bundle = await setup({ configuration: { quotas: { deepvue } } });
    await generate(bundle);
    const silent = await generate(bundle);
    expect(silent.body).toEqual({ detail: "Rate limit exceeded. Please retry after some time." });
    expect(silent.headers.get("retry-after")).toBeNull();
    bundle.simulator.configure({ retryAfter: true });
    expect((await generate(bundle)).headers.get("retry-after")).toBe("1");
  });

  it("counts a request before it looks at its credentials", async () => {
    await using bundle = await setup({ configuration: { quotas: { eko: [{ max: 1, ms: 1_000 }] } } });
    const path = "/tools/kyc/mobile/otp";
    expect(await bundle.eko("POST", path, {}, { "secret-key": "" })).toMatchObject({ status: 403 });
    expect(await bundle.eko("POST", path, {}, { "secret-key": "" })).toMatchObject({ status: 429 });
  });

  it("serves an overrun and counts it where quotas are not enforced", async () => {
    await using bundle = await setup({
      configuration: { quotas: { deepvue }, enforceQuotas: false, pendingWindowMs: 0 },
    });
    await generate(bundle);
    expect(await generate(bundle)).toMatchObject({ status: 200 });
    expect(bundle.simulator.stats().quotas.deepvue).toMatchObject({ overruns: 1, refused: 0 });
    expect(bundle.simulator.requests[1]).toMatchObject({ over_quota: true, status: 200 });
  });

  it("starts anew when it is set anew, and not for another change", async () => {
    await using bundle = await setup({ configuration: { quotas: { deepvue }, pendingWindowMs: 0 } });
    await generate(bundle);
    bundle.simulator.configure({ echoOtp: true });
    expect(await generate(bundle)).toMatchObject({ status: 429 });
    bundle.simulator.configure({ quotas: { deepvue } });
    expect(await generate(bundle)).toMatchObject({ status: 200 });
  });
});

describe("close", () => {
  it("ends idle connections, waits and replies that are on their way", async () => {
    const bundle = await setup({ configuration: { faults: [{ fault: "slow", ms: 60_000 }] } });
    await bundle.control("GET", "healthz");
    const slow = generate(bundle);
    const waiting = bundle.simulator.waitForOtp("nobody", { timeoutMs: 60_000 });
    const outcomes = Promise.allSettled([slow, waiting]);
    await bundle.simulator.waitForOtp(AADHAAR);
    await bundle.simulator.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(bundle.control("GET", "healthz")).rejects.toThrow(TypeError);
    await bundle.simulator.close();
  });
});

describe("reset", () => {
  it("forgets everything and takes the configuration of the start", async () => {
    await using bundle = await setup({ configuration: { otpSentEnvelope: "seed" } });
    bundle.simulator.configure({ otpSentEnvelope: "zero", faults: [{ fault: "empty", operation: "eko." }] });
    await generate(bundle);
    await mobileOtp(bundle);
    bundle.simulator.reset();
    expect(bundle.simulator.requests).toEqual([]);
    expect(bundle.simulator.outbox).toEqual([]);
    expect(bundle.simulator.stats()).toMatchObject({ requests: 0, otps_sent: 0, by_operation: [] });
    expect(await generate(bundle)).toMatchObject({ status: 200 });
    expect(await mobileOtp(bundle)).toMatchObject({ status: 200 });
    expect(bundle.simulator.requests).toMatchObject([{ seq: 3 }, { seq: 4 }]);
  });
});

describe("waitForOtp", () => {
  it("says that none came, without the number", async () => {
    await using bundle = await setup();
    await expect(bundle.simulator.waitForOtp(MOBILE, { timeoutMs: 1 })).rejects.toMatchObject({
      code: ErrorCode.WAIT_TIMEOUT,
      message: "No OTP was sent to that number within 1 ms.",
    });
  });
});
