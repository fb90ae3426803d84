import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobRecord } from "../../../src/records/record.ts";
import { type ClientBundle, startClientBundle, testKeys } from "../../support/client.ts";
import { type Ran, satyapan } from "../../support/command.ts";
import { keysIn } from "../../support/redis-content.ts";
import type { TempDir } from "../../support/temp-dir.ts";
import { AADHAAR, CLOSED_PORT, expectRefusal, folderOfRows, MOBILE } from "./submit-files.ts";

let dir: TempDir;
beforeAll(async () => {
  dir = await folderOfRows();
});
afterAll(async () => await dir[Symbol.asyncDispose]());

describe("satyapan submit --each, with bad rows", () => {
  it.concurrent("names each by line and field, submits none, and shows nothing of what stands there", async () => {
    const ran = await satyapan(["submit", "eko.mobile-otp", "--each", "bad.csv"], { cwd: dir.path, env: CLOSED_PORT });
    expect(ran).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `\
satyapan: bad.csv: 3 of 4 rows are wrong, so none was submitted
  line 3: mobile: must be a mobile number: 10 digits, the first 6 to 9, no country code
  line 5: csp_id: is missing
  line 6: csp_id: must be 1 to 32 letters and digits
`,
    });
  });

  it.concurrent("shows the first twenty of many", async () => {
    const args = ["submit", "eko.mobile-otp", "--each", "all-bad.csv", "--json"];
    const { code, stdout, stderr } = await satyapan(args, { cwd: dir.path, env: CLOSED_PORT });
    const lines = stderr.trimEnd().split("\n");
    expect({ code, stdout, lines: lines.length }).toEqual({ code: 2, stdout: "", lines: 22 });
    expect(lines[0]).toBe("satyapan: all-bad.csv: 25 of 25 rows are wrong, so none was submitted");
    expect(lines.at(-1)).toBe("  … and 5 more");
    expect(stderr).not.toContain(AADHAAR);
  });

  it.concurrent("says an unknown column once, for the header, and the rows' own faults after it", async () => {
    const rows = Array.from({ length: 25 }, (_, index) => (index === 3 ? `${AADHAAR},a1,x` : `${MOBILE},a1,x`));
    const stdin = ["mobile,csp_id,colour", ...rows, ""].join("\n");
    const args = ["submit", "eko.mobile-otp", "--each", "-"];
    const { code, stderr } = await satyapan(args, { cwd: dir.path, env: CLOSED_PORT, stdin });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `\
satyapan: standard input: one column is unknown and 1 of 25 rows are wrong, so none was submitted
  header: colour: unknown field: there are mobile, csp_id, initiator_id
  line 5: mobile: must be a mobile number: 10 digits, the first 6 to 9, no country code
`,
    });
  });

  it.concurrent("tells, by their lines, which rows are for one person, before Redis is asked", async () => {
    const stdin = "mobile,csp_id\n9123456780,a\n9123456781,a\n9123456780,b\n9123456781,a\n9123456780,a\n";
    const args = ["submit", "eko.mobile-otp", "--each", "-"];
    const { code, stderr } = await satyapan(args, { cwd: dir.path, env: CLOSED_PORT, stdin });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `\
satyapan: standard input: some rows are for one person, who would get several OTPs, so none was submitted
  lines 2, 4 and 6 are for one person
  lines 3 and 5 are for one person
leave out all but one, or add --if-pending reuse (one OTP serves them) or --if-pending wait (each gets its own, after the cooldown)
`,
    });
  });

  it.concurrent("does not show the first person of a file without a header", async () => {
    const args = ["submit", "eko.mobile-otp", "--each", "headless.csv"];
    const { code, stderr } = await satyapan(args, { cwd: dir.path, env: CLOSED_PORT });
    expect(code).toBe(2);
    expect(stderr).toContain("a CSV file without a header line?");
    expect(stderr).not.toContain(MOBILE);
  });
});

describe("satyapan submit --each", () => {
  let bundle: ClientBundle;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const keys = testKeys();
    bundle = await startClientBundle(keys);
    env = { ...keys, REDIS_URL: bundle.redis.url };
  });
  afterAll(async () => await bundle[Symbol.asyncDispose]());
  const submit = async (...args: string[]): Promise<Ran> => await satyapan(["submit", ...args], { cwd: dir.path, env });

  it("submits a file, and says of a second time that it was there", async () => {
    const args = ["eko.mobile-otp", "--each", "good.csv", "--id", "batch-1"];
    const first = await submit(...args);
    expect(first).toMatchObject({
      code: 0,
      stdout: "3 jobs: 3 queued\nSee the first with `satyapan show batch-1-1`.\n",
      stderr: "",
    });
    const again = await submit(...args, "--json");
    expect(again).toMatchObject({ code: 0, stderr: "" });
    const records = JSON.parse(again.stdout) as JobRecord[];
    expect(records.map(({ id, lane, duplicate }) => `${id} ${lane} ${duplicate}`)).toEqual(
      [1, 2, 3].map((row) => `batch-1-${row} bulk true`),
    );
    expect((await submit(...args)).stdout).toBe(
      "3 jobs (3 submitted before): 3 queued\nSee the first with `satyapan show batch-1-1`.\n",
    );
    const other = await submit("eko.mobile-otp", "--each", "good.csv", "--id", "batch-1-1");
    expect(other.code).toBe(0); // other ids: batch-1-1-1, …
  });

  it("submits an NDJSON file, waits for it, and ends with the table", async () => {
    const args = ["deepvue.aadhaar-otp", "--each", "good.ndjson", "--id", "lines"];
    await submit(...args);
    await bundle.begin("lines-1", "deepvue");
    await bundle.finish("lines-1", "deepvue", "succeeded");
    const ran = await submit(...args, "--wait", "100ms");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^operation +outcome +response_status_id +calls +p50 +p99\n─+\n/);
    expect(ran.stdout).toMatch(/^deepvue\.aadhaar-otp +succeeded +none +1 /m);
    expect(ran.stdout).toContain("\n2 jobs (2 submitted before): 1 queued, 1 succeeded\n");
    expect(ran.stderr).toContain("satyapan: job lines-2 is still queued and goes on without this command");
    await bundle.begin("lines-2", "deepvue");
    await bundle.finish("lines-2", "deepvue", "succeeded");
    expect((await submit(...args, "--wait", "2m")).code).toBe(0);
  });

  it("submits nothing of a file one of whose ids names another job", async () => {
    const before = await keysIn(bundle.redis);
    const ran = await submit("eko.mobile-otp", "--each", "good.csv", "--id", "lines");
    expect(expectRefusal(dir, ran, 2)).toContain("id: lines-1 names a job with another operation or input");
    expect(await keysIn(bundle.redis)).toEqual(before);
  });
});
