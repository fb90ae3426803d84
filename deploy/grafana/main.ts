import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { dashboardJson, DASHBOARDS } from "./dashboards.ts";
import { renderDashboard } from "./render/render.ts";

interface Flags {
  readonly render?: string;
  readonly prometheus: string;
  readonly minutes: string;
  readonly scrape: string;
}

const program = new Command("dashboards")
  .description("writes Grafana's dashboards; with --render draws them, as SVG, for who has no Grafana")
  .option("--render <folder>", "where the pictures go, one for each dashboard")
  .option("--prometheus <url>", "whose numbers they show", "http://127.0.0.1:9090")
  .option("--minutes <n>", "how far back", "60")
  .option("--scrape <seconds>", "how often workers are asked there", "15")
  .action(async ({ render, prometheus, minutes, scrape }: Flags) => {
    const folder = fileURLToPath(new URL("dashboards/", import.meta.url));
    for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
      await writeFile(join(folder, `${name}.json`), dashboardJson(dashboard));
      if (render === undefined) continue;
      await mkdir(render, { recursive: true });
      const to = Math.floor(Date.now() / 1_000);
      const from = to - Number(minutes) * 60;
      const range = { from, to, step: Math.max(1, Math.round((to - from) / 120)) };
      const options = { url: prometheus, range, rateIntervalS: 4 * Number(scrape) };
      await writeFile(join(render, `${name}.svg`), await renderDashboard(dashboard, options));
    }
  });

await program.parseAsync();
