import { Command, InvalidArgumentError } from "commander";
import { Pager } from "./pager.ts";
import type { ToldPage } from "./page-book.ts";

// Whom compose's Alertmanager calls until somebody real stands in deploy/alertmanager/alertmanager.yml.

interface Flags {
  readonly host: string;
  readonly port: number;
}

await new Command("pager")
  .description("prints what Alertmanager tells, a line each, and shows it at /")
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--port <number>", "port to listen on; 0 takes a free one", port, 9465)
  .action(async ({ host, port: wanted }: Flags) => {
    const stopped = new Promise<void>((resolve) => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
    });
    const onTold = (page: ToldPage): void => void process.stdout.write(`${line(page)}\n`);
    await using pager = await Pager.listen({ host, port: wanted, onTold });
    process.stdout.write(`whoever is called is shown at ${pager.url}\n`);
    await stopped;
  })
  .parseAsync();

function line({ status, severity, alert, summary, runbook, toldAt, overAt }: ToldPage): string {
  const at = new Date(overAt ?? toldAt).toISOString();
  const what = `${at} ${severity === "page" ? "PAGE" : "ticket"} ${alert}: ${summary}`;
  return status === "firing" ? `${what} (${runbook})` : `${what}: over`;
}

function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 65_535) return number;
  throw new InvalidArgumentError("--port must be a whole number from 0 to 65535.");
}
