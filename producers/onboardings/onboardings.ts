import { challengeOver } from "../../src/challenges/refusals.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { isRead } from "../../src/base/unread.ts";
import type { Flow } from "../../src/flows/flow.ts";
import { findFlow, type FlowInputOf, type FlowName } from "../../src/flows/flows.ts";
import { isOver, LONGEST_ONBOARDING_ID } from "../../src/flows/onboarding.ts";
import { newOnboarding } from "../../src/flows/new-onboarding.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import type { Lane } from "../../src/outcomes/lane.ts";
import { queueOf, QUEUES } from "../../src/queues/names.ts";
import { checkOwnId, type Ids } from "../../src/records/ids.ts";
import { type Actor, checkReason } from "../base/actor.ts";
import type { LazyConnections } from "../base/client-connections.ts";
import type { SubmitSpans } from "../base/submit-spans.ts";
import { waitUntil, type WaitOptions } from "../base/wait-until.ts";
import { assertImpersonal } from "../jobs/intake.ts";
import { jobTerms } from "../jobs/job-terms.ts";
import { type ChallengeRecord, challengeRecord, type OnboardingRecord, onboardingRecord } from "./onboarding-record.ts";
import {
  findOnboarding,
  type OnboardingRooms,
  queueOfSend,
  tryFindOnboarding,
  useOnboardings,
  withChallenge,
} from "./onboarding-rooms.ts";

export interface OnboardOptions {
  /** The caller's own id, at most 40 characters: the same one twice gives the first onboarding back. Default: a new one. */
  readonly id?: string;
  /** Of its steps; codes are always verified in the interactive one. Default `interactive`. */
  readonly lane?: Lane;
  /** A duration such as `"10m"`, or milliseconds: past it no further step is called. Default: none. */
  readonly expiresIn?: string | number;
  /** As of `submit`. */
  readonly batch?: string;
  /** As of `submit`. */
  readonly traceparent?: string;
}

export interface OnboardingsDeps {
  readonly settings: Settings;
  readonly connections: LazyConnections;
  readonly actor: Actor;
  readonly ids: Ids;
  readonly spans: SubmitSpans;
}

/** Persons on their way through flows. */
export class Onboardings {
  readonly #deps: OnboardingsDeps;

  constructor(deps: OnboardingsDeps) {
    this.#deps = deps;
  }

  /** Begins one; its record. Throws SatyapanError: InputError naming each bad field, `unknown-flow`, `id-conflict`. */
  async begin<Name extends FlowName>(
    flow: Name,
    input: FlowInputOf<Name>,
    options?: OnboardOptions,
  ): Promise<OnboardingRecord> {
    return await this.beginUnchecked(flow, input, options);
  }

  /** `begin` for names and inputs that are known only at run time; checked just the same. */
  async beginUnchecked(name: string, raw: unknown, options: OnboardOptions = {}): Promise<OnboardingRecord> {
    const { settings, connections, ids } = this.#deps;
    const flow = findFlow(name);
    const now = connections.clock.now();
    const { lane, expiresInMs, scope, trace } = jobTerms(options, "interactive", now);
    const input = parseInput(flow, raw, { ...settings, now });
    const ownId = options.id === undefined ? null : checkOnboardingId(options.id);
    if (ownId !== null) assertImpersonal(ownId, input);
    return await this.#use(async ({ opened, store }) => {
      const createdAt = connections.clock.now();
      const id = ownId ?? ids.job(createdAt);
      const sealer = await opened.dataKeys.sealer(scope);
      const queue = queueOf(flow.provider);
      const expiresAt = expiresInMs === null ? null : createdAt + expiresInMs;
      const terms = { id, lane, createdAt, expiresAt, parent: null };
      if (trace !== null) await opened.traces.hand(queue, id, trace);
      const begun = await store.begin(queue, newOnboarding(flow, input, settings.subjectKey, sealer, terms));
      if (begun === "conflict") throw idConflict(id);
      const record = await this.#get(id);
      if (record === null) throw new TypeError("no record of an onboarding that was begun");
      if (begun !== "duplicate") this.#tell(flow, id, now);
      return begun === "duplicate" ? { ...record, duplicate: true } : record;
    });
  }

  #tell({ name, provider }: Flow, id: string, startedAt: number): void {
    const { spans, connections } = this.#deps;
    spans.submitted(startedAt, connections.clock.now(), 1, async () => {
      const place = await connections.use(async ({ traces }) => await traces.ofRoot(queueOf(provider), id));
      const attributes = { "satyapan.onboarding": id, "satyapan.flow": name };
      return [{ id, name, place, parentId: place.rootSpanId, attributes }];
    });
  }

  /** Null: there is none of this id. */
  async get(id: string): Promise<OnboardingRecord | null> {
    return await this.#get(id);
  }

  /** Those that belong to no batch, newest first. */
  async list({ limit = 50 }: { readonly limit?: number } = {}): Promise<OnboardingRecord[]> {
    const most = Math.max(1, Math.min(limit, 1_000));
    return await this.#use(async ({ store, challenges }) => {
      const found = await Promise.all(
        QUEUES.map(async (queue) => {
          const ids = await store.newest(queue, this.#now(), most);
          const all = await store.getMany(queue, ids);
          return all.flatMap((onboarding) => (isRead(onboarding) ? [{ queue, onboarding }] : []));
        }),
      );
      const newest = found
        .flat()
        .toSorted((one, other) => other.onboarding.createdAt - one.onboarding.createdAt)
        .slice(0, most);
      return await Promise.all(newest.map(async (one) => await withChallenge(challenges, one.queue, one.onboarding)));
    });
  }

  /**
   * Has it end before its next step; a call that is under way ends truthfully, and may be the last one. Throws SatyapanError
   * `unknown-job`, `bad-input` where it is over.
   */
  async cancel(id: string, { reason }: { readonly reason: string }): Promise<OnboardingRecord> {
    const why = checkReason(typeof reason === "string" ? reason : "");
    return await this.#use(async ({ store, engine }) => {
      const { queue, onboarding } = await findOnboarding(store, id);
      const { actor } = this.#deps;
      const answer = await store.cancel(queue, id, why, {
        ...{ at: new Date(actor.now()).toISOString(), kind: "cancel", actor: actor.name, job: id },
        ...{ operation: onboarding.flow, subject: onboarding.subjects[0] ?? null, reason: why },
      });
      if (answer === "missing") throw challengeOver(id, { kind: "missing" });
      if (answer !== "done") {
        throw new SatyapanError(ErrorCode.BAD_INPUT, `onboarding ${id} is ${answer}: there is nothing to cancel`);
      }
      await engine.advance(queue, id);
      return (await this.#get(id)) ?? onboardingRecord(onboarding, null);
    });
  }

  /** Resolves once it is over, or `unknown`. Throws SatyapanError `wait-timeout`, `unknown-job`. */
  async waitFor(id: string, options: WaitOptions = {}): Promise<OnboardingRecord> {
    return await this.waitUntil(id, ({ state }) => isOver(state), options);
  }

  /** `waitFor` what the caller looks for. */
  async waitUntil(
    id: string,
    isThere: (record: OnboardingRecord) => boolean,
    options: WaitOptions = {},
  ): Promise<OnboardingRecord> {
    const { connections } = this.#deps;
    const awaited = {
      ...{ id, isThere },
      read: async (): Promise<OnboardingRecord> => {
        const record = await this.#get(id);
        if (record === null) throw challengeOver(id, { kind: "missing" });
        return record;
      },
      stillOpen: ({ state }: OnboardingRecord): string => `onboarding ${id} is still ${state}`,
    };
    return await waitUntil(connections, () => performance.now(), awaited, options);
  }

  /** Where the challenge of a send or of an onboarding stands; null: none is awaited. */
  async challenge(id: string): Promise<ChallengeRecord | null> {
    return await this.#use(async ({ opened, store, challenges }) => {
      const found = await tryFindOnboarding(store, id);
      if (found !== null) return (await withChallenge(challenges, found.queue, found.onboarding)).challenge;
      const queue = await queueOfSend(opened, id);
      const challenge = await challenges.get(queue, await challenges.newest(queue, id));
      return challenge === null ? null : challengeRecord(challenge);
    });
  }

  async #get(id: string): Promise<OnboardingRecord | null> {
    return await this.#use(async ({ opened: { traces }, store, challenges }) => {
      const found = await tryFindOnboarding(store, id);
      if (found === null) return null;
      const record = await withChallenge(challenges, found.queue, found.onboarding);
      const place = traces.areKept ? await traces.ofRoot(found.queue, id) : null;
      return place?.isSampled === true ? { ...record, trace_id: place.traceId } : record;
    });
  }

  #now(): number {
    return this.#deps.connections.clock.now();
  }

  async #use<T>(work: (rooms: OnboardingRooms) => Promise<T>): Promise<T> {
    return await useOnboardings(this.#deps, work);
  }
}

function checkOnboardingId(id: string): string {
  checkOwnId(id);
  if (id.length <= LONGEST_ONBOARDING_ID) return id;
  const message = `id: at most ${LONGEST_ONBOARDING_ID} characters, because the ids of its steps' jobs are made of it`;
  throw new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function idConflict(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.ID_CONFLICT,
    `id: ${id} names an onboarding with another flow or input; choose another id`,
  );
}
