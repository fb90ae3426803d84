import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobRecord } from "../../../src/records/record.ts";
import { AADHAAR_INPUT, type ClientBundle, MOBILE_INPUT, startClientBundle, testKeys } from "../../support/client.ts";
import { type Ran, RunningCommand, satyapan } from "../../support/command.ts";
import { keysIn } from "../../support/redis-content.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";

/** Made up, and never to be seen in a message: Aadhaar number, mobile number, OTP. */
const PLANTED = ["999999990019", "9876501234", "730915"];
const [AADHAAR = "", MOBILE = "", OTP = ""] = PLANTED;
/** Nobody listens there (RFC 6335: tcpmux): whoever asks Redis ends with exit code 3. */
const CLOSED_PORT = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1" };
const GOOD = JSON.stringify({ mobile: MOBILE, csp_id: "a1" });

let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
  writeFileSync(join(dir.path, "bad.json"), `{"mobile":"${MOBILE}"`);
  writeFileSync(join(dir.path, "good.csv"), "mobile,csp_id\n9123456780,a1\n9123456781,a1\n9123456782,a1\n");
  writeFileSync(
    join(dir.path, "bad.csv"),
    `mobile,csp_id\n9123456780,a1\n${AADHAAR},a1\n\n9123456781,\n${MOBILE},"a ${OTP}"\n`,
  );
  const many = Array.from({ length: 25 }, () => AADHAAR).join(",a1\n");
  writeFileSync(join(dir.path, "all-bad.csv"), `mobile,csp_id\n${many},a1\n`);
  writeFileSync(join(dir.path, "headless.csv"), `${MOBILE},a1\n9123456781,a1\n`);
  writeFileSync(join(dir.path, "ragged.csv"), `mobile,csp_id\n${MOBILE}\n`);
  const consent = { reference: "C-1", method: "ivr", obtained_at: "2026-01-15T10:00:00+05:30" };
  const lines = ["234123412346", "999941057058"].map((aadhaar) =>
    JSON.stringify({ aadhaar, purpose: "ForKYC", consent }),
  );
  writeFileSync(join(dir.path, "good.ndjson"), `${lines.join("\n\n")}\n`);
});
afterAll(async () => await dir[Symbol.asyncDispose]());

/** One line on stderr, nothing on stdout, nothing of a person, nothing left in the folder. */
function expectRefusal({ code, stdout, stderr }: Ran, exitCode: number): string {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^satyapan: .+\n$/);
  expect(code).toBe(exitCode);
  for (const secret of PLANTED) expect(stderr).not.toContain(secret);
  expect(readdirSync(dir.path)).not.toContain(".satyapan");
  return stderr.slice("satyapan: ".length, -1);
}

describe("satyapan submit, used wrongly", () => {
  const input = (value: unknown) => ["--input", typeof value === "string" ? value : JSON.stringify(value)];
  const cases: readonly [what: string, args: readonly string[], message: string][] = [
    ["no operation", [], "missing required argument 'operation'; see `satyapan submit --help`"],
    [
      "neither --input nor --each",
      ["eko.mobile-otp"],
      "give the job's input with --input, or a file of inputs with --each",
    ],
    [
      "both --input and --each",
      ["eko.mobile-otp", ...input(GOOD), "--each", "good.csv"],
      "option '--input <json>' cannot be used with option '--each <file>'; see `satyapan submit --help`",
    ],
    [
      "an input without --input",
      ["eko.mobile-otp", GOOD],
      "too many arguments for 'submit'. Expected 1 argument but got 2; see `satyapan submit --help`",
    ],
    [
      "an unknown option",
      ["eko.mobile-otp", `--mobile=${MOBILE}`],
      "unknown option '--mobile'; see `satyapan submit --help`",
    ],
    [
      "an unknown lane",
      ["eko.mobile-otp", ...input(GOOD), "--lane", "fast"],
      "option '--lane <lane>' argument 'fast' is invalid. Allowed choices are interactive, bulk; see `satyapan submit --help`",
    ],
    [
      "a misspelt operation",
      ["eko.mobil-otp", ...input(GOOD)],
      "unknown operation eko.mobil-otp: did you mean eko.mobile-otp?",
    ],
    ["an operation that is a number", [AADHAAR, ...input(GOOD)], "unknown operation: there are deepvue.aadhaar-otp, "],
    [
      "broken JSON",
      ["eko.mobile-otp", ...input(`{"mobile":"${MOBILE}"`)],
      '--input is not valid JSON; it must be an object such as {"mobile":"…"}, in a shell within single quotes',
    ],
    ["broken JSON in a file", ["eko.mobile-otp", ...input("@bad.json")], "the file bad.json is not valid JSON; "],
    ["a file that is not there", ["eko.mobile-otp", ...input("@none.json")], "the file none.json does not exist"],
    ["a list", ["eko.mobile-otp", ...input([GOOD])], "the input must be a JSON object"],
    [
      "missing, wrong and extra fields, all at once",
      ["eko.mobile-otp", ...input({ mobile: AADHAAR, mobil: MOBILE })],
      "mobile: must be a mobile number: 10 digits, the first 6 to 9, no country code; csp_id: is missing; mobil: unknown field: did you mean `mobile`?",
    ],
    [
      "a bad checksum",
      ["deepvue.aadhaar-otp", ...input({ ...AADHAAR_INPUT, aadhaar: "999999990018" })],
      "aadhaar: is no Aadhaar number: its last digit, the checksum, does not fit",
    ],
    [
      "an expired deadline",
      ["eko.mobile-otp", ...input(GOOD), "--expires", "0s"],
      "expires: the deadline has passed already; give a time to come, such as 10m",
    ],
    [
      "a malformed --expires",
      ["eko.mobile-otp", ...input(GOOD), "--expires", "10"],
      '--expires must have a unit, for example 10s or 10ms, not only "10"',
    ],
    [
      "a malformed --wait",
      ["eko.mobile-otp", ...input(GOOD), "--wait", "soon"],
      '--wait must be a duration like 250ms, 60s, 10m, 24h or 30d, not "soon"',
    ],
    [
      "an id with the person's number",
      ["eko.mobile-otp", ...input(GOOD), "--id", `order-${MOBILE}`],
      "id: holds a personal value of the input; use a reference of your own",
    ],
    [
      "a code that is a number",
      ["eko.mobile-otp.verify", ...input({ of: "sent", otp: Number(OTP) })],
      "otp: must be text in quotes: as a number it would lose leading zeros",
    ],
    ["a file of rows that is not there", ["eko.mobile-otp", "--each", "none.csv"], "the file none.csv does not exist"],
    [
      "a ragged file",
      ["eko.mobile-otp", "--each", "ragged.csv"],
      "ragged.csv line 2: has 1 cell where the header has 2: a cell is missing, or a line broke in the middle",
    ],
  ];
  it.concurrent.each(cases)("%s: says so in one line, before Redis is asked", async (_what, args, message) => {
    const ran = await satyapan(["submit", ...args], { cwd: dir.path, env: CLOSED_PORT });
    expect(expectRefusal(ran, 2)).toContain(message);
  });

  it.concurrent("reads standard input, and says where broken JSON came from", async () => {
    const stdin = `{"mobile":"${MOBILE}"`;
    const ran = await satyapan(["submit", "eko.mobile-otp", "--input", "-"], {
      cwd: dir.path,
      env: CLOSED_PORT,
      stdin,
    });
    expect(expectRefusal(ran, 2)).toContain("standard input is not valid JSON; ");
  });

  it.concurrent("ends at Ctrl-C while it reads standard input", async () => {
    const options = { cwd: dir.path, env: { ...CLOSED_PORT, EKO_TYPO: "1" } };
    await using command = new RunningCommand(["submit", "eko.mobile-otp", "--input", "-"], options);
    await command.said("EKO_TYPO is not a setting"); // a warning that comes before the reading
    command.kill("SIGINT");
    const { code, stderr } = await command.ended;
    expect(code).toBe(2);
    expect(stderr).toContain("satyapan: standard input was not read to its end\n");
  });
});

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

/** The command is a process of its own, which has to start first. */
async function subscribed({ redis }: ClientBundle): Promise<void> {
  const client = redis.client();
  const count = async () => await client.pubsub("NUMSUB", "satyapan:settled");
  await expect.poll(count).toContain(1);
}

describe("satyapan submit", () => {
  let bundle: ClientBundle;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const keys = testKeys();
    bundle = await startClientBundle(keys);
    env = { ...keys, REDIS_URL: bundle.redis.url };
  });
  afterAll(async () => await bundle[Symbol.asyncDispose]());
  const submit = async (...args: string[]): Promise<Ran> => await satyapan(["submit", ...args], { cwd: dir.path, env });

  it("prints the record; with --json that one document and nothing else; a second time as a duplicate", async () => {
    const args = ["eko.mobile-otp", "--input", GOOD, "--id", "order-1", "--lane", "bulk", "--expires", "10m"];
    const first = await submit(...args, "--json");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout.trimEnd()).not.toContain("\n");
    const record = JSON.parse(first.stdout) as JobRecord;
    expect(record).toMatchObject({ id: "order-1", lane: "bulk", state: "queued" });
    expect(record).toEqual(await bundle.client.get("order-1"));
    const again = await submit(...args);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/^job +order-1 \(was there already\)\noperation +eko\.mobile-otp\n/);
    const shown = await satyapan(["show", "order-1", "--json"], { cwd: dir.path, env });
    expect(JSON.parse(shown.stdout)).toEqual(record);
    const other = await submit("eko.mobile-otp", "--input", JSON.stringify(MOBILE_INPUT), "--id", "order-1");
    expect(expectRefusal(other, 2)).toBe("id: order-1 names a job with another operation or input; choose another id");
    for (const { stdout } of [first, again, shown]) expect(stdout).not.toContain(MOBILE);
  });

  it("waits no longer than it is told to, then prints how the job stands and says how it goes on", async () => {
    const ran = await submit("eko.mobile-otp", "--input", GOOD, "--id", "order-2", "--wait", "100ms", "--json");
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: "order-2", state: "queued" });
    expect(ran.stderr).toBe(
      "satyapan: job order-2 is still queued and goes on without this command: see `satyapan show order-2`; none was begun, is a `satyapan worker` running?\n",
    );
  });

  it("waits for the end, tells by its exit code how it was, and ends with it at once", async () => {
    for (const [state, code] of [
      ["succeeded", 0],
      ["rejected", 1],
    ] as const) {
      const id = `order-${state}`;
      const args = ["submit", "eko.mobile-otp", "--input", GOOD, "--id", id, "--wait", "2m", "--json"];
      await using command = new RunningCommand(args, { cwd: dir.path, env });
      await subscribed(bundle);
      await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("queued");
      await bundle.begin(id, "eko");
      const settledAt = performance.now();
      await bundle.finish(id, "eko", state);
      const ran = await command.ended;
      expect(performance.now() - settledAt).toBeLessThan(1_500);
      expect(ran).toMatchObject({ code, stderr: "" });
      expect(JSON.parse(ran.stdout)).toMatchObject({ id, state });
    }
  });

  it("ends its waiting at Ctrl-C, and prints how the job stands", async () => {
    const args = ["submit", "eko.mobile-otp", "--input", GOOD, "--id", "order-3", "--wait", "10m"];
    await using command = new RunningCommand(args, { cwd: dir.path, env });
    await subscribed(bundle);
    // As a terminal and npx do it: the same Ctrl-C comes twice.
    command.kill("SIGINT");
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^state +queued$/m);
    expect(stderr).toContain("job order-3 is still queued and goes on without this command");
  });

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
    expect(expectRefusal(ran, 2)).toContain("id: lines-1 names a job with another operation or input");
    expect(await keysIn(bundle.redis)).toEqual(before);
  });

  it("reads --input from a file or standard input", async () => {
    mkdirSync(join(dir.path, "inputs"), { recursive: true });
    writeFileSync(join(dir.path, "inputs", "one.json"), `${GOOD}\n`);
    const fromFile = await submit("eko.mobile-otp", "--input", "@inputs/one.json", "--id", "same", "--json");
    expect(fromFile.code).toBe(0);
    const options = { cwd: dir.path, env, stdin: GOOD };
    const piped = await satyapan(["submit", "eko.mobile-otp", "--input", "-", "--id", "same", "--json"], options);
    expect(JSON.parse(piped.stdout)).toEqual({ ...(JSON.parse(fromFile.stdout) as object), duplicate: true });
  });
});
