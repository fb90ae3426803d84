import { rm } from "node:fs/promises";
import { expect, it } from "vitest";
import { findServer } from "../../../chaos/failover/find-server.ts";
import { runScenario } from "../../../chaos/failover/run-scenario.ts";
import { SCENARIOS } from "../../../chaos/failover/scenarios.ts";
import { readTestEnv } from "../../support/env.ts";

// How long calls stand still depends on who else is on the machine; that is judged by: npm run chaos -- --redis cluster.
it("ends no job in doubt and leaves none open when a Cluster loses the queue's master", async () => {
  const { machine } = readTestEnv();
  const scenario = SCENARIOS["kill-master"];
  if (scenario === undefined) throw new TypeError("the scenario was renamed");
  const lines: string[] = [];
  const report = await runScenario({
    ...{
      redis: "cluster",
      scenario,
      seed: 7,
      workers: 2,
      before: 2,
      after: 8,
      drainSeconds: 140,
      shippedLocks: false,
    },
    ...{ machine, program: await findServer("redis-server", machine), say: (line) => lines.push(line) },
  });
  await rm(report.folder, { recursive: true, force: true });
  const { neverSeen, delivered, stuck, accepted } = report;
  expect({ neverSeen, delivered, stuck }, lines.join("\n")).toEqual({ neverSeen: [], delivered: [], stuck: [] });
  expect(accepted).toBeGreaterThan(50);
});
