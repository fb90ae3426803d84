import type { CommanderError } from "commander";

/**
 * What is wrong with a command line, in one line. Commander repeats what it was given, and that may be a number of a person
 * in the wrong place: only what looks like a name is repeated here.
 */
export function usageProblem({ code, message }: CommanderError, command: string | null): string {
  const text = message.replace(/^error: /, "");
  const help = `see \`satyapan ${command === null ? "" : `${command} `}--help\``;
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
        /(argument|value) '(.*)' is invalid/s,
        (_, what: string, given: string) => `${what} ${shown(given)} is invalid`,
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
