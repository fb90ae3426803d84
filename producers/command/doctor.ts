import type { Command } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { diagnose, type Finding } from "../doctor/diagnose.ts";
import { formatTable } from "../report/table.ts";

export function defineDoctor(command: Command, context: CommandContext): void {
  command.option("--json", "print one JSON document").action(async (flags: { readonly json?: true }) => {
    const findings: Finding[] = await diagnose(context);
    const failed = findings.filter(({ status }) => status === "failed");
    const rows = findings.map(({ check, status, detail }) => [status, check, detail]);
    const table = formatTable([{ title: "" }, { title: "check" }, { title: "finding" }], rows);
    context.stdout.write(flags.json ? `${JSON.stringify({ ok: failed.length === 0, findings })}\n` : table);
    const [first] = failed;
    if (first !== undefined) context.exit(first.exitCode ?? ExitCode.NOT_SUCCEEDED);
  });
}
