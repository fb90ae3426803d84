import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { DRILLS } from "../../drill/drills.ts";
import { play } from "../../drill/play.ts";
import { ALERTS } from "../../deploy/prometheus/rules.ts";

function isThere(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Between scrapes, in s. */
const INTERVAL_S = 2;

describe("the drills", () => {
  it("wait for alerts that there are", () => {
    const names = ALERTS.map(({ name }) => name);
    for (const { alerts, also = [] } of DRILLS) for (const name of [...alerts, ...also]) expect(names).toContain(name);
    expect(new Set(DRILLS.map(({ name }) => name)).size).toBe(DRILLS.length);
  });

  const hasAll = ["prometheus", "prometheus-alertmanager"].every(isThere);

  // Both end within a minute; the others: `npm run drill -- all`.
  it.runIf(hasAll).each(["refused", "redis-empty"])(
    "%s: those on call are told what happened, once, and nothing else",
    async (name) => {
      const drill = DRILLS.find((one) => one.name === name);
      if (drill === undefined) throw new Error(`no drill ${name}`);
      const { told, missing, wrong } = await play(drill, INTERVAL_S);
      expect({ missing, wrong }).toEqual({ missing: [], wrong: [] });
      expect(told.map(({ alert }) => alert)).toEqual(drill.alerts);
      for (const { runbook } of told) expect(runbook).toMatch(/^docs\/runbooks\/[a-z-]+\.md$/);
    },
  );
});
