import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ToldPage } from "../deploy/pager/page-book.ts";
import type { Drill } from "./drills.ts";
import { Load } from "./load.ts";
import { setStage, type Stage } from "./stage.ts";

/** Before the incident, in ms: nothing may be told in it. */
const CALM_MS = 8_000;
/** After the last alert that is expected, in ms: whether another comes. */
const AFTER_MS = 25_000;
const LOOK_MS = 500;
const LIMIT_S = 150;

export interface DrillReport {
  readonly drill: Drill;
  /** What those on call were told, with seconds after the incident began. */
  readonly told: readonly (ToldPage & { readonly afterS: number })[];
  readonly silenced: readonly string[];
  /** Expected ones that never came, and others that came. */
  readonly missing: readonly string[];
  readonly wrong: readonly string[];
  /** What the commands of the first look said, shortened. */
  readonly said: Readonly<Record<"explain" | "doctor" | "provider show", string>>;
}

/** Plays an incident from a calm start to what those on call are told and see. */
export async function play(drill: Drill, intervalS: number): Promise<DrillReport> {
  await using stage = await setStage({ ...drill.stage, intervalS });
  await using load = new Load(stage.client, stage.simulator, drill.load ?? {});
  if (drill.stage === undefined && drill.load?.wrong === undefined) await sleep(CALM_MS);
  const early = stage.pager.pages.length;
  const struckAt = Date.now();
  await drill.strike(stage);
  await toldAll(stage, drill);
  const said = await look(stage, load, drill);
  await sleep(AFTER_MS);
  const told = stage.pager.pages.map((page) => ({ ...page, afterS: Math.round((page.toldAt - struckAt) / 1_000) }));
  const names = new Set(told.map(({ alert }) => alert));
  const allowed = new Set([...drill.alerts, ...(drill.also ?? [])]);
  return {
    ...{ drill, told, said },
    silenced: await stage.monitoring.silenced(),
    missing: drill.alerts.filter((alert) => !names.has(alert)),
    wrong: [...(early > 0 ? ["something before it began"] : []), ...[...names].filter((alert) => !allowed.has(alert))],
  };
}

async function toldAll({ pager }: Stage, { alerts, limitS = LIMIT_S }: Drill): Promise<void> {
  const until = Date.now() + limitS * 1_000;
  while (Date.now() < until) {
    const names = new Set(pager.pages.map(({ alert }) => alert));
    if (alerts.every((alert) => names.has(alert))) return;
    await sleep(LOOK_MS);
  }
}

async function look(
  { satyapan }: Stage,
  { accepted }: Load,
  { provider = "eko" }: Drill,
): Promise<DrillReport["said"]> {
  const id = accepted[provider].at(-1) ?? "none";
  const [explain, doctor, show] = await Promise.all([
    satyapan("explain", id),
    satyapan("doctor", "--json"),
    satyapan("provider", "show", provider),
  ]);
  return { explain: shortened(explain, 1), doctor: complaints(doctor), "provider show": shortened(show, 1) };
}

const Diagnosis = z.object({
  findings: z.array(z.looseObject({ check: z.string(), status: z.string(), detail: z.string() })),
});

/** What `doctor --json` complains of. */
function complaints(output: string): string {
  try {
    const { findings } = Diagnosis.parse(JSON.parse(output));
    const bad = findings.filter(({ status }) => status === "failed" || status === "warning");
    return bad.map(({ check, status, detail }) => `${status} ${check}: ${detail}`).join(" / ") || "all is well";
  } catch {
    return shortened(output, 0);
  }
}

/** Three lines, without the first `skipped`, which name the job or the provider. */
function shortened(text: string, skipped: number): string {
  const all = text.split("\n").filter((line) => line.trim() !== "");
  return all
    .slice(all.length > skipped ? skipped : 0)
    .slice(0, 3)
    .map((line) => line.trim().replaceAll(/\s+/g, " "))
    .join(" / ");
}
