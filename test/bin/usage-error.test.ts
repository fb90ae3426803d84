import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { usageProblem } from "../../bin/usage-error.ts";

/** Made up, and never to be seen in a message. */
const PLANTED = "999999990019";

const problem = (code: string, message: string, command: readonly string[] = ["submit"]) =>
  usageProblem(new CommanderError(1, `commander.${code}`, message), command);

describe("what is said of a wrong command line", () => {
  it("is one line, with the suggestion and where to look", () => {
    expect(problem("unknownCommand", "error: unknown command 'submti'\n(Did you mean submit?)", [])).toBe(
      "unknown command 'submti' (Did you mean submit?); see `satyapan --help`",
    );
    expect(problem("missingArgument", "error: missing required argument 'operation'")).toBe(
      "missing required argument 'operation'; see `satyapan submit --help`",
    );
    const conflict = "error: option '--input <json>' cannot be used with option '--each <file>'";
    expect(problem("conflictingOption", conflict)).toContain(
      "'--input <json>' cannot be used with option '--each <file>'",
    );
  });

  it("repeats nothing that may be a value", () => {
    const json = `{"aadhaar":"${PLANTED}","name":"it's"}`;
    const cases = [
      [
        "excessArguments",
        `error: too many arguments for 'submit'. Expected 1 argument but got 2: eko.mobile-otp, ${json}.`,
      ],
      ["unknownCommand", `error: unknown command '${PLANTED}'`],
      ["unknownCommand", `error: unknown command 'Tara'`],
      ["unknownOption", `error: unknown option '--aadhaar=${PLANTED}'`],
      ["unknownOption", `error: unknown option '--aadhaar=it's ${PLANTED}'\n(Did you mean --each?)`],
      ["unknownOption", `error: unknown option '-${PLANTED}'`],
      ["invalidArgument", `error: option '--lane <lane>' argument '${PLANTED}' is invalid. Allowed choices are bulk.`],
      [
        "invalidArgument",
        `error: option '--lane <lane>' argument 'it's\n${PLANTED}' is invalid. Allowed choices are bulk.`,
      ],
      [
        "invalidArgument",
        `error: option '--lane <lane>' argument '<${PLANTED}>' is invalid. Allowed choices are bulk.`,
      ],
      ["invalidArgument", `error: command-argument value '<${PLANTED}>' is invalid for argument 'decision'.`],
    ] as const;
    for (const [code, message] of cases) {
      const said = problem(code, message);
      expect(said).not.toContain(PLANTED);
      expect(said).not.toContain("Tara");
      expect(said).not.toContain("\n");
    }
    expect(problem(...cases[0])).toBe(
      "too many arguments for 'submit'. Expected 1 argument but got 2; see `satyapan submit --help`",
    );
    const decision =
      "error: command-argument value 'maybe' is invalid for argument 'decision'. Allowed choices are rejected.";
    expect(problem("invalidArgument", decision, ["quota", "set"])).toBe(
      "'maybe' is invalid for argument 'decision'. Allowed choices are rejected; see `satyapan quota set --help`",
    );
    expect(problem(...cases[3])).toBe("unknown option '--aadhaar'; see `satyapan submit --help`");
  });
});
