import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AADHAAR_INPUT } from "../../support/client.ts";
import { RunningCommand, satyapan } from "../../support/command.ts";
import type { TempDir } from "../../support/temp-dir.ts";
import { AADHAAR, CLOSED_PORT, expectRefusal, folderOfRows, GOOD, MOBILE, OTP } from "./submit-files.ts";

let dir: TempDir;
beforeAll(async () => {
  dir = await folderOfRows();
});
afterAll(async () => await dir[Symbol.asyncDispose]());

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
    expect(expectRefusal(dir, ran, 2)).toContain(message);
  });

  it.concurrent("reads standard input, and says where broken JSON came from", async () => {
    const stdin = `{"mobile":"${MOBILE}"`;
    const ran = await satyapan(["submit", "eko.mobile-otp", "--input", "-"], {
      cwd: dir.path,
      env: CLOSED_PORT,
      stdin,
    });
    expect(expectRefusal(dir, ran, 2)).toContain("standard input is not valid JSON; ");
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
