import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { CONSENT } from "../support/client.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

let bundle: WorkerBundle;
let batches: BatchBundle;
let people = 0;
beforeAll(async () => {
  bundle = await startWorkerBundle({ simulator: { checkSenderReference: true }, env: { OTP_COOLDOWN: "1s" } });
  batches = new BatchBundle(bundle.redis, bundle.settings);
  await bundle.startWorker();
});
afterAll(async () => await bundle[Symbol.asyncDispose]());

interface Person {
  readonly mobile: string;
  readonly aadhaar: string;
}

/** `ending`: what the simulator does about the mobile number; 308: nobody knows it. */
function person(ending = "000"): Person {
  const index = people++;
  return { mobile: madeUpMobile(index, ending), aadhaar: madeUpAadhaar(index) };
}

const LEVIN = { name: "Asha Example", dob: "1990-01-31", residence_address: "1 Road" };
const levin = ({ mobile, aadhaar }: Person) => ({ customer_id: mobile, aadhaar, ...LEVIN });

/** The code that went out to that number is given for the row, once it is asked for. */
async function answer(id: string, row: number, to: string, change = (code: string): string => code): Promise<void> {
  const { otp } = await bundle.simulator.waitForOtp(to);
  await bundle.client.answer(`${id}-${row}`, change(otp));
}

function sentTo(to: string): number {
  return bundle.simulator.outbox.filter((sent) => sent.to === to).length;
}

async function countsOf(id: string): Promise<unknown> {
  return (await batches.show(id)).counts;
}

describe("a batch of a flow", () => {
  it.each([
    ["eko.dmt-levin", (one: Person) => levin(one), ({ aadhaar }: Person) => aadhaar],
    ["eko.mobile", ({ mobile }: Person) => ({ mobile, csp_id: "9000000001" }), ({ mobile }: Person) => mobile],
    [
      "eko.aeps-fingpay",
      ({ mobile, aadhaar }: Person) => ({ customer_id: mobile, aadhaar, latlong: "28.6139,77.2090" }),
      ({ aadhaar }: Person) => aadhaar,
    ],
    [
      "deepvue.aadhaar",
      ({ aadhaar }: Person) => ({ aadhaar, purpose: "ForKYC", consent: CONSENT }),
      ({ aadhaar }: Person) => aadhaar,
    ],
  ] as const)("takes each row through all steps of %s, and waits for its person", async (flow, rawOf, to) => {
    const persons = Array.from({ length: 6 }, () => person());
    const { id } = await batches.submit(
      batches.flowRows(flow, 6, (row) => rawOf(persons[row - 1] ?? person())),
      { flow },
    );
    await expect.poll(async () => await countsOf(id)).toMatchObject({ awaiting_otp: 6 });
    expect(await batches.show(id)).toMatchObject({ flow, state: "running", open_challenges: 6 });
    for (const [index, one] of persons.entries()) await answer(id, index + 1, to(one));
    const ended = await batches.ended(id);
    expect(ended).toMatchObject({ state: "finished", counts: { ...noRows(), succeeded: 6 }, open_challenges: 0 });
    await batches.recount(id);
    expect(persons.map((one) => sentTo(to(one)))).toEqual(persons.map(() => 1));
    const results = await batches.results(id);
    expect(results.map(({ state, reason, attempts }) => [state, reason, attempts >= 2])).toEqual(
      persons.map(() => ["succeeded", null, true]),
    );
    const shown = JSON.stringify(results);
    expect(persons.filter(({ mobile, aadhaar }) => shown.includes(mobile) || shown.includes(aadhaar))).toEqual([]);
  });

  it("says of each row where it stopped and why, with what the provider knows it by", async () => {
    const [good, wrong, unknown, refused] = [person(), person(), person("902"), person("998")];
    const all = [good, wrong, unknown, refused];
    const { id } = await batches.submit(
      batches.flowRows("eko.mobile", 4, (row) => ({ mobile: all[row - 1]?.mobile, csp_id: "9000000001" })),
      { flow: "eko.mobile", stopAt: null },
    );
    await answer(id, 1, good.mobile);
    for (const n of [1, 2, 3]) {
      await answer(id, 2, wrong.mobile, (code) => `${code.slice(0, -1)}${(Number(code.at(-1)) + n) % 10}`);
      if (n < 3)
        await expect.poll(async () => (await bundle.client.onboardings.challenge(`${id}-2`))?.tries_left).toBe(3 - n);
      if (n < 3)
        await expect.poll(async () => (await bundle.client.onboardings.challenge(`${id}-2`))?.state).toBe("open");
    }
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 1, rejected: 2, unknown: 1 });
    await batches.recount(id);
    const results = await batches.results(id);
    expect(results.map(({ state, code, result }) => [state, code, result?.["step"], result?.["job"]])).toEqual([
      ["succeeded", "0/1632", undefined, undefined],
      ["rejected", expect.any(String), "verify", undefined],
      ["unknown", "unknown", "send", `${id}-3-send`],
      ["rejected", "1/463", "send", undefined],
    ]);
    await bundle.client.settle(`${id}-3-send`, "rejected", { reason: "it did not happen" });
    await expect.poll(async () => await countsOf(id)).toMatchObject({ unknown: 0, rejected: 3 });
    await batches.recount(id);
  });

  it("calls nobody twice who stands in it, or in an open batch, or was onboarded by that flow in one", async () => {
    const [one, other, third] = [person(), person(), person()];
    const raws = [levin(one), levin(other), levin(one)];
    const { id } = await batches.submit(
      batches.flowRows("eko.dmt-levin", 3, (row) => raws[row - 1] ?? {}),
      { flow: "eko.dmt-levin" },
    );
    expect(await countsOf(id)).toMatchObject({ duplicate: 1 });
    await answer(id, 1, one.aadhaar);
    await expect.poll(async () => await countsOf(id)).toMatchObject({ succeeded: 1, awaiting_otp: 1 });
    const again = [levin(one), levin(other), levin(third)];
    const next = await batches.submit(
      batches.flowRows("eko.dmt-levin", 3, (row) => again[row - 1] ?? {}),
      { flow: "eko.dmt-levin" },
    );
    expect(await countsOf(next.id)).toMatchObject({ duplicate: 2 });
    await answer(id, 2, other.aadhaar);
    await answer(next.id, 3, third.aadhaar);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 2, duplicate: 1 });
    expect((await batches.ended(next.id)).counts).toEqual({ ...noRows(), succeeded: 1, duplicate: 2 });
    expect([one, other, third].map(({ aadhaar }) => sentTo(aadhaar))).toEqual([1, 1, 1]);
    const [first] = await batches.results(next.id);
    expect(first?.reason).toBe(`the same person as row 1 of batch ${id}`);
  });
});
