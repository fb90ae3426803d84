import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import type { BatchView } from "../../../src/batches/batch.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { bundleEnv, startWorkerBundle } from "../../support/worker.ts";

/** A Redis with a simulator, a folder in which commands run, and calls that are made once. */
async function startBundle() {
  const stack = new AsyncDisposableStack();
  const own = { ...testKeys(), CALL_ATTEMPTS: "1", AADHAAR_CHECKSUM: "off" };
  const bundle = stack.use(await startWorkerBundle({ env: own }));
  const place = stack.use(await makeTempDir());
  const env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...own };
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const run = async (...args: readonly string[]) => await satyapan(["batch", ...args], { cwd: place.path, env });
  const path = (name: string): string => join(place.path, name);
  const submit = async (header: string, rows: readonly string[], ...args: readonly string[]): Promise<string> => {
    writeFileSync(path("senders.csv"), [header, ...rows, ""].join("\n"));
    const ran = await run("submit", "senders.csv", "--stop-at", "never", "--json", ...args);
    expect(ran.stderr).toBe("");
    return (JSON.parse(ran.stdout) as BatchView).id;
  };
  const options = { cwd: place.path, env };
  return {
    ...{ ...bundle, batches, run, path, submit, options },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

/** By the endings of numbers: 500 fails the first time, 998 is rejected. */
const ENDINGS = ["500", "998", "500", "000"];
const HEADER = "Form No,Mobile No,csp_id,initiator_id";
const ARGS = ["--operation", "eko.mobile-otp", "--ref", "Form No"];
const row = (n: number): string => `F-${n},${madeUpMobile(n, ENDINGS[n - 1])},a1,9000000001`;

describe("results that come back mended", () => {
  it("keep what was masked and failed, by CSV or NDJSON, packed and piped; a row of which nothing is kept says so", async () => {
    await using bundle = await startBundle();
    const { batches, run, path, submit, options } = bundle;
    const id = await submit(
      HEADER,
      ENDINGS.map((_, index) => row(index + 1)),
      ...ARGS,
    );
    await bundle.startWorker();
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), failed: 2, rejected: 1, succeeded: 1 });
    await run("results", id, "--only", "failed,rejected", "--out", "mend.csv");
    const csv = readFileSync(path("mend.csv"), "utf8");
    expect(csv).toContain(`XXXXXX${madeUpMobile(1, "500").slice(6)},********,********,1,F-1,failed,`);
    // The agent was wrong, in both that failed and in the one that was rejected: nobody has their numbers at hand.
    writeFileSync(path("mend.csv"), csv.replaceAll(/,\*{8},(\*{8},[12],)/g, ",a2,$1"));
    const refused = await run("submit", "mend.csv", "--repairs", id);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("1 mended row is still bad, so none was taken back");
    expect(refused.stderr).toContain("Mobile No (mobile): is still masked, and what it was is not kept");
    expect(refused.stderr).toContain("line 3 `aaaaaaXXXX`");
    const lines = readFileSync(path("mend.csv"), "utf8").split("\r\n");
    const packed = gzipSync([lines[0], lines[1], ""].join("\r\n"));
    writeFileSync(path("mend.csv.gz"), packed);
    const first = await run("submit", "mend.csv.gz", "--repairs", id, "--json");
    expect(JSON.parse(first.stdout)).toMatchObject({ mended: 1, mended_before: 0, not_mended: 0 });
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), failed: 1, rejected: 1, succeeded: 2 });
    // The rest as NDJSON, through a pipe, with what was mended before among it.
    const ndjson = (await run("results", id, "--format", "ndjson")).stdout;
    const documents = ndjson
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Document);
    const mended = documents.map((one) => {
      if (one.row === 3) one.columns["csp_id"] = "a3";
      return JSON.stringify(one.row === 1 ? { ...one, repaired: 0 } : one);
    });
    const args = ["batch", "submit", "-", "--repairs", id];
    const piped = await satyapan(args, { ...options, stdin: mended.join("\n") });
    expect(piped.stderr).toBe("");
    expect(piped.stdout).toMatch(
      /^1 row is taken back\n1 row was mended before: left as it was\n2 rows are not mended/,
    );
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), rejected: 1, succeeded: 3 });
    const again = await satyapan([...args, "--json"], { ...options, stdin: mended.join("\n") });
    expect(JSON.parse(again.stdout)).toMatchObject({ duplicate: true, mended: 0, mended_before: 2 });
    const called = bundle.simulator.outbox.map(({ to }) => to);
    expect(called.toSorted()).toEqual([1, 3, 4].map((n) => madeUpMobile(n, ENDINGS[n - 1])).toSorted());
    await batches.recount(id);
    for (const text of [csv, ndjson, piped.stdout]) for (const to of called) expect(text).not.toContain(to);
  });

  it("keep what was masked of any row while the batch is not over, but not under another mask", async () => {
    await using bundle = await startBundle();
    const { batches, run, path, submit } = bundle;
    // Nobody answers the first: the batch goes on.
    const rows = ["000", "998"].map(
      (ending, index) => `F-${index + 1},${madeUpMobile(index + 1, ending)},a1,9000000001`,
    );
    const id = await submit(HEADER, rows, "--flow", "eko.mobile", "--ref", "Form No");
    await bundle.startWorker();
    await expect
      .poll(async () => (await batches.show(id)).counts)
      .toEqual({ ...noRows(), awaiting_otp: 1, rejected: 1 });
    await run("results", id, "--only", "rejected", "--format", "ndjson", "--out", "mend.ndjson");
    const document = JSON.parse(readFileSync(path("mend.ndjson"), "utf8")) as Document;
    const submitMended = async (columns: Readonly<Record<string, string>>) => {
      const mended = { ...document, columns: { ...document.columns, ...columns } };
      writeFileSync(path("mend.ndjson"), `${JSON.stringify(mended)}\n`);
      return await run("submit", "mend.ndjson", "--repairs", id, "--json");
    };
    expect((await submitMended({})).stderr).toContain("none of 1 rows is mended, everything is as it was (line 1)");
    const other = await submitMended({ csp_id: "a2", "Mobile No": "XXXXXX0000" });
    expect(other.stderr).toContain("Mobile No (mobile): is masked, and not as the results had it");
    expect(JSON.parse((await submitMended({ csp_id: "a2" })).stdout)).toMatchObject({ mended: 1, state: "running" });
    await expect
      .poll(async () => (await batches.results(id))[1])
      .toMatchObject({ state: "rejected", repaired: 1, columns: document.columns });
    expect(bundle.simulator.stats().requests).toEqual(3);
    expect((await submitMended({ csp_id: "a3" })).stdout).toContain('"duplicate":true');
  });

  it("run a flow again from its beginning that failed in its second step, and are counted in the same batch", async () => {
    await using bundle = await startBundle();
    const { client, batches, run, path, submit } = bundle;
    const aadhaarOf = (n: number): string => madeUpAadhaar(n, n === 2 ? "500" : "000");
    const rows = [1, 2].map((n) => `F-${n},${madeUpMobile(n, "000")},${aadhaarOf(n)},Asha Exmple,1990-01-31,1 Road`);
    const header = "Form No,customer_id,aadhaar,name,dob,residence_address";
    const id = await submit(header, rows, "--flow", "eko.dmt-levin", "--ref", "Form No");
    await bundle.startWorker();
    const answer = async (n: number, onboarding: string): Promise<void> => {
      const { otp } = await bundle.simulator.waitForOtp(aadhaarOf(n), { timeoutMs: 60_000 });
      await expect.poll(async () => (await client.onboardings.get(onboarding))?.state).toBe("awaiting_otp");
      await client.answer(onboarding, otp);
    };
    await answer(1, `${id}-1`);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 1, failed: 1 });
    const [, failed] = await batches.results(id);
    expect(failed).toMatchObject({ state: "failed", result: { step: "aadhaar" } });
    await run("results", id, "--only", "failed", "--out", "mend.csv");
    const text = readFileSync(path("mend.csv"), "utf8");
    // The name alone: number, date and address stay as they are.
    const cells = text.split("\r\n")[1]?.split(",") ?? [];
    expect(cells.slice(2, 5)).toEqual(["********", "********", "********"]);
    cells[2] = "Asha Example";
    writeFileSync(path("mend.csv"), [text.split("\r\n")[0], cells.join(","), ""].join("\r\n"));
    const view = JSON.parse((await run("submit", "mend.csv", "--repairs", id, "--json")).stdout) as BatchView;
    expect(view).toMatchObject({ state: "running", rows: 2, mended: 1, counts: { succeeded: 1 } });
    await answer(2, `${id}-2r1`);
    expect(await batches.ended(id)).toMatchObject({
      state: "finished",
      counts: { ...noRows(), succeeded: 2 },
    });
    await batches.recount(id);
    expect((await client.onboardings.get(`${id}-2r1`))?.steps.map(({ step }) => step)).toContain("sender");
    expect(bundle.simulator.outbox.filter(({ to }) => to === aadhaarOf(2))).toHaveLength(1);
  });
});

interface Document {
  readonly row: number;
  readonly columns: Record<string, string>;
}
