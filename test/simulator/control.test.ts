import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { like } from "./like.ts";
import { AGENT, type Bundle, setup } from "./setup.ts";

let bundle: Bundle;
beforeEach(async () => {
  bundle = await setup();
});
afterEach(async () => bundle.simulator.close());

async function mobileOtp(mobile: string): Promise<void> {
  await bundle.eko("POST", "/tools/kyc/mobile/otp", { ...AGENT, csp_id: mobile, mobile });
}

describe("/_simulator/", () => {
  it("is healthy", async () => {
    expect(await bundle.control("GET", "healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it("shows what phones received, newest first", async () => {
    const [one, other] = [madeUpMobile(1), madeUpMobile(2)];
    for (const mobile of [one, other, one]) await mobileOtp(mobile);
    const sent = bundle.simulator.outbox;
    expect((await bundle.control("GET", "outbox")).body).toEqual(sent.toReversed());
    expect((await bundle.control("GET", `outbox?to=${one}`)).body).toEqual([sent[2], sent[0]]);
    expect((await bundle.control("GET", `outbox?to=${one}&after=1`)).body).toEqual([sent[2]]);
    expect((await bundle.control("GET", "outbox?limit=1")).body).toEqual([sent[2]]);
  });

  it("answers a long poll as soon as the phone rings", async () => {
    const mobile = madeUpMobile(1);
    const polling = bundle.control("GET", `outbox?to=${mobile}&after=0&wait=10000`);
    await mobileOtp(madeUpMobile(2));
    await mobileOtp(mobile);
    expect((await polling).body).toMatchObject([{ seq: 2, to: mobile }]);
  });

  it("answers a long poll with nothing when its time is over", async () => {
    expect((await bundle.control("GET", "outbox?to=9000000000&wait=1")).body).toEqual([]);
  });

  it("shows requests, oldest first, by operation and in pages", async () => {
    for (const index of [1, 2, 3]) await mobileOtp(madeUpMobile(index));
    expect((await bundle.control("GET", "requests")).body).toEqual(bundle.simulator.requests);
    expect((await bundle.control("GET", "requests?after=1&limit=1")).body).toMatchObject([{ seq: 2 }]);
    expect((await bundle.control("GET", "requests?operation=deepvue.aadhaar-otp")).body).toEqual([]);
  });

  it("shows the counts", async () => {
    await mobileOtp(madeUpMobile(1));
    expect((await bundle.control("GET", "stats")).body).toEqual({
      requests: 1,
      open: 0,
      by_operation: [{ operation: "eko.mobile-otp", status: "200", count: 1 }],
      quotas: { eko: { overruns: 0, refused: 0, windows: [] }, deepvue: { overruns: 0, refused: 0, windows: [] } },
      otps_sent: 1,
      sent_more_than_once: [],
    });
  });

  it("is configured, and gives the whole configuration back", async () => {
    const answered = await bundle.control("POST", "configure", { faults: [{ fault: "empty", times: 1 }] });
    expect(answered).toMatchObject({ status: 200, body: { faults: [{ fault: "empty", times: 1 }], endings: true } });
    await mobileOtp(madeUpMobile(1));
    expect(bundle.simulator.requests).toMatchObject([{ status: 204 }]);
  });

  it.each([
    [{ faults: [{ fault: "meteor" }] }, "faults"],
    [{ patience: 1 }, "patience"],
    ["{", "not JSON"],
  ])("refuses the configuration %j, and keeps the one it has", async (patch, named) => {
    const init = { method: "POST", body: typeof patch === "string" ? patch : JSON.stringify(patch) };
    const response = await fetch(`${bundle.simulator.url}/_simulator/configure`, init);
    expect([response.status, await response.json()]).toEqual([400, { error: like(named) }]);
    await mobileOtp(madeUpMobile(1));
    expect(bundle.simulator.requests).toMatchObject([{ status: 200 }]);
  });

  it("is reset", async () => {
    await bundle.deepvue("/v2/ekyc/aadhaar/generate-otp", {
      aadhaar_number: madeUpAadhaar(1),
      consent: "Y",
      purpose: "ForKYC",
    });
    expect(await bundle.control("POST", "reset")).toMatchObject({ status: 200 });
    expect(bundle.simulator.outbox).toEqual([]);
  });

  it("gives its settings as lines that a shell takes", async () => {
    const { body } = await bundle.control("GET", "environment");
    const names = Object.keys(bundle.simulator.env);
    const script = `${String(body)}\nfor name in ${names.join(" ")}; do eval "echo \\$$name"; done`;
    const told = execFileSync("sh", ["-c", script], { encoding: "utf8" });
    expect(told.trimEnd().split("\n")).toEqual(Object.values(bundle.simulator.env));
  });

  it("has nothing else", async () => {
    expect(await bundle.control("GET", "secrets")).toMatchObject({ status: 404 });
    expect(await bundle.control("GET", "reset")).toMatchObject({ status: 404 });
  });

  it("appears neither in the requests nor in the counts", async () => {
    await bundle.control("GET", "healthz");
    expect(bundle.simulator.stats()).toMatchObject({ requests: 0 });
  });
});
