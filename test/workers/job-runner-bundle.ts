import { steadyClock } from "../../src/base/sleepless-clock.ts";
import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { Registry } from "prom-client";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { findOperation, OPERATIONS, type OperationName } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { newDataKey } from "../../src/privacy/sealing/data-key.ts";
import { Opener } from "../../src/privacy/sealing/opener.ts";
import { Sealer } from "../../src/privacy/sealing/sealed-text.ts";
import type { HttpReply } from "../../src/providers/http.ts";
import type { AttemptEnd, Closed } from "../../src/records/attempt-end.ts";
import type { AttemptStart, TakenJob } from "../../src/records/attempt-start.ts";
import { createIds } from "../../src/records/ids.ts";
import { sealInput } from "../../src/records/sealed-input.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Closings } from "../../workers/closings.ts";
import type { EarlyStart } from "../../workers/early-starts.ts";
import { JobRunner, type JobRunnerDeps } from "../../workers/job-runner.ts";

export const NOW = 1_800_000_000_000;
export const JOB = "job-1";
/** The opener of the first attempt that the bundle's process begins; the next is `own-2`. */
export const OWN = "own-1";

const { dataKey } = newDataKey("day:2027-01-15");
const SEALER = new Sealer(dataKey, 1);
const OPENER = new Opener(new Map([[dataKey.id, dataKey]]));

/** As a worker's, with what the tables of the tests say: 5 attempts, and one wait for a 409. */
export const SETTINGS = parseSettings(
  {
    REDIS_URL: "redis://127.0.0.1:1/0",
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
    CALL_ATTEMPTS: "5",
    DEEPVUE_PENDING_DELAYS: "60s",
  },
  { readFile: () => "", operations: OPERATIONS },
);

/** The operation's example as a job that a worker takes for the first time; differing from that as given. */
export function takenJob(name: OperationName, given: Partial<TakenJob> = {}): TakenJob {
  const operation = findOperation(name);
  const input = parseInput(operation, operation.example, { now: NOW, aadhaarChecksum: false });
  return {
    ...{ operation: name, lane: "interactive", input: sealInput(SEALER, operation, JOB, input) },
    ...{ reference: "fresh", subject: null, of: null, holdNames: [], createdAt: NOW, expiresAt: null },
    ...{ used: 0, pendings: 0, resends: 0 },
    ...given,
  };
}

/** The gate lets it through. */
export function run(job: TakenJob, given: { readonly isProbe?: boolean } = {}): AttemptStart {
  const permit = { id: "permit-1", scarce: false, waitMs: 0, askedAt: performance.now() };
  return {
    kind: "run",
    attemptToken: `1 ${OWN}`,
    clientRefId: "ref-1",
    dueAt: NOW,
    permit,
    isProbe: false,
    job,
    ...given,
  };
}

export interface RunnerBundleOptions extends Partial<Pick<JobRunnerDeps, "dataKeys" | "monotonic" | "stopping">> {
  /** What the journal answers, one beginning after the other. */
  readonly start: AttemptStart | Error | readonly (AttemptStart | Error)[];
  readonly reply?: HttpReply;
  readonly closed?: Partial<Closed>;
}

/** A runner whose journal, provider and keys answer from memory. */
export function setup({ start, reply, closed = {}, ...given }: RunnerBundleOptions) {
  const ends: AttemptEnd[] = [];
  const givenBack: string[] = [];
  const parked: unknown[][] = [];
  const lacking: string[] = [];
  const queuedAgain: unknown[] = [];
  const asked: number[] = [];
  const calls: unknown[] = [];
  const starts = [start].flat();
  let begun = 0;
  let openers = 0;
  const metrics = new Metrics(new Registry());
  const logger = createLogger("fatal", new Writable({ write: (_chunk, _encoding, done) => done() }));
  const never = new AbortController().signal;
  const finish = async (_id: string, _now: number, end: AttemptEnd): Promise<Closed> => {
    ends.push(end);
    return await Promise.resolve({ answer: "done", nextAt: null, corrected: false, ...closed });
  };
  const runner = new JobRunner({
    journal: {
      begin: async (_id, _freshRef, now) => {
        asked.push(now);
        const next = starts[begun++];
        if (next === undefined || next instanceof Error) throw next ?? new Error("nothing to begin");
        return await Promise.resolve(next);
      },
      openerAt: () => `own-${++openers}`,
      isOwn: (opener) => opener.startsWith("own"),
      giveBack: async (permit) => await Promise.resolve(void givenBack.push(permit)),
      permit: async () => await Promise.resolve(null),
    },
    closings: new Closings({ journal: { finish }, metrics, logger, givenUp: never }),
    settings: SETTINGS,
    monotonic: steadyClock,
    dataKeys: { opener: async () => await Promise.resolve(OPENER), sealer: async () => await Promise.resolve(SEALER) },
    providers: {
      prepare: (_operation, input) => ({
        method: "POST",
        send: async () => {
          calls.push(input);
          if (reply === undefined) throw new Error("no call was expected");
          return await Promise.resolve(reply);
        },
      }),
    },
    ...{ metrics, logger, ids: createIds(), now: () => NOW, random: () => 0.5, stopping: never, signal: never },
    park: async (...args) => await Promise.resolve(void parked.push(args)),
    traces: null,
    queueAgain: async (job) => await Promise.resolve(void queuedAgain.push(job)),
    keyLacked: (_sealed, why) => void lacking.push(why),
    ...given,
  });
  /** What was counted of this metric, by its labels' values. */
  const counted = async (name: string): Promise<Record<string, number>> => {
    const { values = [] } = (await metrics.registry.getSingleMetric(name)?.get()) ?? {};
    return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(" "), value]));
  };
  const take = async (queuedAt = NOW, early: EarlyStart | null = null) => await runner.run(JOB, queuedAt, null, early);
  return {
    take,
    ends,
    givenBack,
    parked,
    lacking,
    asked,
    queuedAgain,
    calls,
    counted,
    opener: OPENER,
  };
}
