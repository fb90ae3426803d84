import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { ConfigurationPatch } from "../../simulator/configuration.ts";
import { ENDINGS } from "../../simulator/endings.ts";
import { FAULTS } from "../../simulator/fault.ts";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { like } from "./like.ts";
import { AGENT, type Answered, type Bundle, setup, textAt } from "./setup.ts";

const GENERATE = "/v2/ekyc/aadhaar/generate-otp";

async function mobileOtp(bundle: Bundle, mobile = madeUpMobile(1)): Promise<Answered> {
  return bundle.eko("POST", "/tools/kyc/mobile/otp", { ...AGENT, csp_id: mobile, mobile });
}

async function generate(bundle: Bundle, aadhaar_number = madeUpAadhaar(1)): Promise<Answered> {
  return bundle.deepvue(GENERATE, { aadhaar_number, consent: "Y", purpose: "ForKYC" });
}

async function withFault(fault: NonNullable<ConfigurationPatch["faults"]>[number]): Promise<Bundle> {
  return setup({ configuration: { faults: [fault] } });
}

describe("replies that no table of codes reads", () => {
  it.each([
    ["bad-gateway", 502, like("<html>")],
    ["html-page", 200, like("<html>")],
    ["empty", 204, ""],
  ] as const)("%s, from both providers, with nothing sent", async (fault, status, body) => {
    await using bundle = await withFault({ fault });
    expect(await mobileOtp(bundle)).toMatchObject({ status, body });
    expect(await generate(bundle)).toMatchObject({ status, body });
    expect(bundle.simulator.outbox).toEqual([]);
  });

  it("message-only: no key for a response, or a list for `detail`", async () => {
    await using bundle = await withFault({ fault: "message-only" });
    expect(await mobileOtp(bundle)).toMatchObject({ status: 200, body: { message: "No key for Response" } });
    expect(await generate(bundle)).toMatchObject({ status: 422, body: { detail: [{ loc: ["query", "purpose"] }] } });
  });

  it("wrong-types: after the OTP was sent, every field is of another type", async () => {
    await using bundle = await withFault({ fault: "wrong-types" });
    expect((await mobileOtp(bundle)).body).toMatchObject({
      status: "0",
      response_type_id: "1623",
      message: { value: "OTP has been sent" },
      data: [{}, {}, {}, {}].map(() => like("")),
    });
    expect((await generate(bundle)).body).toMatchObject({ code: "200", sub_code: { value: "SUCCESS" } });
    expect(bundle.simulator.outbox).toHaveLength(2);
  });

  it.each([
    ["unavailable", 503],
    ["throttled", 429],
    ["bad-credentials", 401],
    ["account-inactive", 403],
  ] as const)("%s: Eko answers HTTP %s", async (fault, status) => {
    await using bundle = await withFault({ fault });
    expect(await mobileOtp(bundle)).toMatchObject({ status });
  });

  it.each([
    ["temporary-failure", 544],
    ["unknown-initiator", 319],
    ["agent-not-allowed", 346],
  ] as const)("%s: Eko answers status %s", async (fault, status) => {
    await using bundle = await withFault({ fault });
    expect(await mobileOtp(bundle)).toMatchObject({ status: 200, body: { status } });
  });

  it("carries the call out first where the rule says so", async () => {
    await using bundle = await withFault({ fault: "bad-gateway", committed: true });
    expect(await generate(bundle)).toMatchObject({ status: 502 });
    expect(bundle.simulator.outbox).toHaveLength(1);
    expect(bundle.simulator.requests).toMatchObject([{ status: 502, fault: "bad-gateway", committed: "otp-sent" }]);
  });

  it("passes a fault over that the operation cannot have", async () => {
    await using bundle = await withFault({ fault: "already-pending" });
    expect(await mobileOtp(bundle)).toMatchObject({ body: { status: 0 } });
    expect(bundle.simulator.requests).toMatchObject([{ fault: null, committed: "otp-sent" }]);
  });
});

describe("what goes wrong on the wire", () => {
  it.each([
    ["drop-after-commit", "otp-sent"],
    ["reset-before-commit", null],
  ] as const)("%s: no reply, and the record says what was done: %s", async (fault, committed) => {
    await using bundle = await withFault({ fault, times: 1 });
    await expect(generate(bundle)).rejects.toThrow(TypeError);
    expect(bundle.simulator.requests).toMatchObject([{ status: null, fault, committed }]);
    expect(bundle.simulator.outbox).toHaveLength(committed === null ? 0 : 1);
    expect(bundle.simulator.stats()).toMatchObject({
      open: 0,
      by_operation: [{ operation: "deepvue.aadhaar-otp", status: "cut", count: 1 }],
    });
    expect(await generate(bundle)).toMatchObject({ status: committed === null ? 200 : 409 });
  });

  it("drop-after-commit closes the connection in order, reset-before-commit does not", async () => {
    await using bundle = await setup({
      configuration: {
        faults: [{ fault: "drop-after-commit", times: 1 }, { fault: "reset-before-commit" }],
      },
    });
    expect(await rawReply(bundle)).toBe("");
    await expect(rawReply(bundle)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("cut-short: the body breaks off before its content-length", async () => {
    await using bundle = await withFault({ fault: "cut-short" });
    const reply = await rawReply(bundle);
    const [head = "", body = ""] = reply.split("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    expect(body).toMatch(/^\{"code":200/);
    expect(body).toHaveLength(Math.floor(length / 2));
    expect(bundle.simulator.outbox).toHaveLength(1);
  });

  it("never-ending: the head comes, then byte after byte without an end, until the caller hangs up", async () => {
    await using bundle = await withFault({ fault: "never-ending" });
    const url = `${bundle.simulator.url}${GENERATE}?aadhaar_number=${madeUpAadhaar(1)}&consent=Y&purpose=ForKYC`;
    const headers = { "x-api-key": "simulated-client-secret", "client-id": "simulated-client-id" };
    const response = await fetch(url, { method: "POST", headers });
    expect(response.status).toBe(200);
    const chunks: string[] = [];
    for await (const chunk of response.body ?? []) {
      chunks.push(Buffer.from(chunk).toString());
      if (chunks.length === 4) break;
    }
    expect(chunks.join("")).toMatch(/^\{"code":200.*"\s+$/);
    expect(bundle.simulator.outbox).toHaveLength(1);
  });

  it("huge-body: the reply is all there, behind megabytes", async () => {
    await using bundle = await withFault({ fault: "huge-body", bytes: 3_000_000 });
    const answered = await generate(bundle);
    expect(textAt(answered, "padding").length).toBe(3_000_000);
    expect(textAt(answered, "reference_id")).toBe(bundle.simulator.outbox[0]?.reference);
  });

  it("slow: the OTP is sent at once, the reply comes later", async () => {
    await using bundle = await withFault({ fault: "slow", ms: 60 });
    const startedAt = performance.now();
    const answering = generate(bundle);
    await bundle.simulator.waitForOtp(madeUpAadhaar(1));
    expect(bundle.simulator.requests).toMatchObject([{ status: null, ms: null }]);
    expect(await answering).toMatchObject({ status: 200 });
    expect(performance.now() - startedAt).toBeGreaterThan(55);
  });

  it("takes a latency for every reply", async () => {
    await using bundle = await setup({ configuration: { latencyMs: { min: 40, max: 60 } } });
    const startedAt = performance.now();
    expect(await mobileOtp(bundle)).toMatchObject({ status: 200 });
    expect(performance.now() - startedAt).toBeGreaterThan(35);
  });
});

describe("the endings, over a socket", () => {
  const sendEndings = ENDINGS.filter(
    ({ steps, fault }) => steps.includes("send") && fault !== null && fault !== "slow",
  );

  it.each(sendEndings)("$digits: strikes with $fault, as often as the table says", async ({ digits, fault, times }) => {
    await using bundle = await setup({ configuration: { pendingWindowMs: 0 } });
    const calls = (times ?? 2) + 1;
    for (let n = 0; n < calls; n += 1) {
      const answering = generate(bundle, madeUpAadhaar(1, digits));
      // A body that does not end keeps the caller waiting: it is enough that it was asked.
      if (fault === "never-ending" && n === 0) answering.catch(() => undefined);
      else await answering.catch(() => undefined);
    }
    const isEkoOnly = fault === "unknown-initiator" || fault === "agent-not-allowed";
    const faults = Array.from({ length: calls }, (_, n) => (isEkoOnly || n >= (times ?? calls) ? null : fault));
    await expect.poll(() => bundle.simulator.requests.map((request) => request.fault)).toEqual(faults);
  });

  it("use every kind of fault there is", () => {
    const used = new Set(ENDINGS.map(({ fault }) => fault));
    expect(Object.keys(FAULTS).filter((fault) => ![...used].includes(fault as never))).toEqual([]);
  });
});

/** Everything that comes back for one generate-otp, byte for byte. */
async function rawReply(bundle: Bundle): Promise<string> {
  const { hostname, port } = new URL(bundle.simulator.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    [
      `POST ${GENERATE}?aadhaar_number=${madeUpAadhaar(1)}&consent=Y&purpose=ForKYC HTTP/1.1`,
      "host: simulator",
      "x-api-key: simulated-client-secret",
      "client-id: simulated-client-id",
      "content-length: 0",
      "\r\n",
    ].join("\r\n"),
  );
  return text(socket);
}
