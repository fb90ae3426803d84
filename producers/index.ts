import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { homeFolder } from "../src/base/user.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { loadLocalKeys } from "../src/privacy/keys/local-keys.ts";
import { parseSettings } from "../src/config/parse-settings.ts";
import type { Settings } from "../src/config/settings.ts";
import { OPERATIONS } from "../src/operations/catalogue.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { RedisAccess, stateDirOf } from "../src/redis/access.ts";
import { checkActor } from "./base/actor.ts";
import type { SpansLost } from "./base/submit-spans.ts";
import { Client } from "./client.ts";

export { SatyapanError, ErrorCode } from "../src/base/error.ts";
export type { InputOf, OperationName } from "../src/operations/catalogue.ts";
export type { ExplainedCause, Explanation } from "./jobs/explanation.ts";
export type { Lane } from "../src/outcomes/lane.ts";
export type { JobRecord, RecordedAttempt, RecordedDecision, RecordedOutcome } from "../src/records/record.ts";
export type { JobState } from "../src/outcomes/state.ts";
export type { Client, SubmitManyOptions, SubmitOptions } from "./client.ts";
export type { SpansLost } from "./base/submit-spans.ts";
export type { WaitOptions } from "./base/wait-until.ts";
export type { ChangeOptions, FailedFilter, FailedJobs, RetryOptions } from "./failed/failed-jobs.ts";
export type { DuplicateRow } from "./batches/batch-rows.ts";
export type { SubmitBatchOptions } from "./batches/batches.ts";
export type { BatchWatch, WatchBatchOptions } from "./batches/batch-watch.ts";
export {
  BadFileError,
  type FileBatches as Batches,
  type FileBatchView,
  type SubmitFileOptions,
} from "./imports/file-batches.ts";
export type { FileCheck } from "./imports/check-file.ts";
export type { FileSource } from "./imports/open-table.ts";
export type { RepairView } from "./batches/batch-repair.ts";
export type { SeatOptions } from "./batches/seat.ts";
export type { Sender, Verdict } from "./batches/talk.ts";
export { BadRowsError, type RowProblem } from "./batches/bad-rows.ts";
export type { RowsToSubmit, RowToRepair, RowToSubmit } from "./batches/checked-rows.ts";
export type { FieldProblem } from "../src/operations/input-error.ts";
export type { BatchView } from "../src/batches/batch.ts";
export type { PersonHolder } from "../src/batches/person-holder.ts";
export type { RowReason } from "../src/batches/row-reasons.ts";
export type { RowResult } from "../src/batches/row-result.ts";
export type { RowState } from "../src/batches/row-state.ts";
export type { FlowInputOf, FlowName } from "../src/flows/flows.ts";
export type { OnboardingState } from "../src/flows/onboarding.ts";
export type { AnswerRecord } from "./onboardings/codes.ts";
export type { OnboardOptions, Onboardings } from "./onboardings/onboardings.ts";
export type { ChallengeRecord, OnboardingRecord } from "./onboardings/onboarding-record.ts";
export type { FindOptions } from "./find/find-person.ts";
export type { FoundPart } from "./find/found-part.ts";
export type { Gates } from "./gates/gates.ts";
export type { ProviderHealth, Trouble } from "./jobs/health.ts";
export type { Revealed, RevealOptions } from "./jobs/reveal.ts";
export type { PatienceOptions } from "./base/patience.ts";
export type { IfPending } from "./jobs/open-challenges.ts";
export type { SettleLikeOptions, UnknownFilter, UnknownJobs } from "./jobs/unknown-jobs.ts";
export type { PromoteOptions } from "./jobs/promote.ts";
export type { SettleDecision, SettleOptions } from "./jobs/settle.ts";
export { InputsError } from "./jobs/input-problems.ts";
export { SamePersonError } from "./jobs/same-person.ts";

export interface ClientOptions {
  /** Settings by their environment names (design §6), which override the environment's: `{ REDIS_URL: "redis://…" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The name of the program in the audit log: `library:ACTOR`. 1 to 64 characters. Default `unnamed`. */
  readonly actor?: string;
  /** The folder whose `.satyapan` holds the embedded Redis when there is no `REDIS_URL`. Default: the working folder. */
  readonly directory?: string;
  /**
   * Called each time that spans of this client's submissions are lost: the collector of traces takes none, or they come faster
   * than they go. No submission waits for it, and what it throws changes nothing. Default: nobody is told.
   */
  readonly onSpansLost?: (lost: SpansLost) => void;
}

/**
 * A client with the settings of the environment; `options` override them. Connects at first use.
 * Throws SatyapanError `bad-settings` that names every wrong setting.
 */
export function createClient({
  settings: overrides = {},
  actor = "unnamed",
  directory = process.cwd(),
  onSpansLost,
}: ClientOptions = {}): Client {
  const stateDir = stateDirOf(directory);
  const env = { ...readEnvironment(), ...overrides };
  const settings: Settings = parseSettings(env, {
    readFile: (path) => readFileSync(path, "utf8"),
    operations: OPERATIONS,
    localKeys: () => loadLocalKeys(stateDir),
  });
  const machine = machineFrom(env, process.platform, homeFolder(), tmpdir());
  // Errors of connections reach the caller through the calls that fail.
  const openRedis = async (of: Settings): Promise<RedisAccess> =>
    await RedisAccess.open({ settings: of, stateDir, machine, onError: () => {} });
  return new Client({
    ...{ settings, openRedis, onSpansLost, now: Date.now, tmpDir: tmpdir() },
    actor: `library:${checkActor(actor)}`,
  });
}
