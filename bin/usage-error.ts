import type { CommanderError } from "commander";

/**
 * What is wrong with a command line, in one line; `command`: the names of the one that was called, such as `batch`, `show`. Commander repeats what it was given, and that may be a number of a person
 * in the wrong place: only what looks like a name is repeated here.
 */
export function usageProblem({ code, message }: CommanderError, command: readonly string[]): string {
  const text = message.replace(/^error: /, "");
  const help = `see \`${["satyapan", ...command].join(" ")} --help\``;
  return `${withoutValues(code, text)
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/\.$/, "")}; ${help}`;
}

function withoutValues(code: string, text: string): string {
  switch (code) {
    case "commander.excessArguments":
      return text.replace(/(but got \d+).*/s, "$1");
    case "commander.unknownOption":
    case "commander.unknownCommand":
      return text.replace(/'(.*)'/s, (_, given: string) => shown(given));
    case "commander.invalidArgument":
      return text.replace(
        /(command-argument value |argument )'(.*)' is invalid/s,
        (_, what: string, given: string) => `${what === "argument " ? what : ""}${shown(given)} is invalid`,
      );
    default:
      return text;
  }
}

/** The name in `--option=value`. */
function shown(given: string): string {
  const name = /^(-{0,2}[a-z][a-z.-]{0,39})(?:=.*)?$/s.exec(given)?.[1];
  return name === undefined ? "(not shown: it may be a value)" : `'${name}'`;
}
