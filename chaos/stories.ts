import type { Client } from "../producers/client.ts";
import type { OutboxMessage } from "../simulator/outbox.ts";
import type { RequestRecord } from "../simulator/request-log.ts";
import type { RowResult } from "../src/batches/row-result.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { Archived, Archivist } from "./archivist.ts";
import { FlowLoad, type FlowLoadOptions } from "./flow-load.ts";
import { FLOW_RULES, type FlowOutcome, judgeFlows } from "./flow-verdict.ts";
import { Load, type LoadOptions } from "./load.ts";
import { type Evidence, judge, RULES, type Violation } from "./verdict.ts";

/** What came out, and what is wrong with it. */
export interface Ending {
  /** What there was. */
  readonly what: "jobs" | "rows";
  readonly records: readonly (Pick<JobRecord | RowResult, "state" | "reason"> | null)[];
  readonly rules: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  /** Null: the archive is off. */
  readonly archived: Archived | null;
}

/** What goes on while everything dies, and how it is judged. */
export interface Story {
  readonly load: Pick<Load | FlowLoad, "open" | "run"> & { standing(): Promise<string> | string };
  readonly accepted: () => number;
  readonly judge: (requests: readonly RequestRecord[], outbox: readonly OutboxMessage[]) => Promise<Ending>;
}

/** Single jobs of every operation. */
export function jobStory(
  watcher: Client,
  limits: Pick<Evidence, "quotas" | "cooldownMs">,
  options: Omit<LoadOptions, "watcher" | "archivist">,
  archivist: Archivist | null,
): Story {
  const load = new Load({ ...options, watcher, archivist });
  return {
    load,
    accepted: () => load.accepted.length,
    judge: async (requests, outbox) => {
      const jobs = load.accepted;
      const records = await watcher.getMany(jobs.map(({ id }) => id));
      const archived = (await archivist?.result()) ?? null;
      const violations = [...judge({ jobs, records, requests, outbox, ...limits }), ...(archivist?.violations ?? [])];
      return { what: "jobs", records, rules: RULES, violations, archived };
    },
  };
}

/** Files of persons who are onboarded by flows. */
export function flowStory(watcher: Client, options: Omit<FlowLoadOptions, "watcher">): Story {
  const load = new FlowLoad({ ...options, watcher });
  return {
    load,
    accepted: () => load.accepted,
    judge: async (requests, outbox) => {
      const outcomes: FlowOutcome[] = [];
      for (const batch of load.batches) {
        const view = batch.id === null ? null : await watcher.batches.show(batch.id);
        const results = batch.id === null ? [] : await Array.fromAsync(watcher.batches.results(batch.id));
        outcomes.push({ batch, view, results });
      }
      const violations = judgeFlows({ outcomes, requests, outbox });
      const records = outcomes.flatMap(({ batch, results }) => batch.rows.map(({ row }) => results[row - 1] ?? null));
      return { what: "rows", records, rules: FLOW_RULES, violations, archived: null };
    },
  };
}
