/** A fact of a log line: what a field of this name means in every line that has it. */
export interface LogField<Value> {
  readonly takes: string;
  readonly means: string;
  /** Never there: it only carries the type. */
  readonly value?: Value;
}

function text(means: string): LogField<string> {
  return { takes: "text", means };
}

function textOrNull(means: string): LogField<string | null> {
  return { takes: "text or null", means };
}

function number(means: string): LogField<number> {
  return { takes: "number", means };
}

function flag(means: string): LogField<boolean> {
  return { takes: "true or false", means };
}

function texts(means: string): LogField<readonly string[]> {
  return { takes: "list of texts", means };
}

function counts(means: string): LogField<Readonly<Record<string, number>>> {
  return { takes: "numbers by name", means };
}

/** Every field that a line may have beside `level`, `time`, `pid` and `msg`: one name, one meaning. */
export const LOG_FIELDS = {
  answer: text("What the journal said instead of `done`."),
  attempt: number("Number of the job's attempt, from 1."),
  batch: text("Id of the batch."),
  brought_back_here: flag("Whether this worker brought the quota back; else another did."),
  bytes: counts("Rows of the batch by the state that each of them has."),
  cause: text("Why the job waits."),
  clean: flag("Whether nothing was left behind; else the next worker finds it in the journal."),
  client_ref_id: text("By what the provider knows the attempt."),
  clock_offset_ms: number("The provider's clock minus ours, in ms."),
  code: text("Stable code of the error."),
  collector: text("Host and port of the collector."),
  count: number("How many there are."),
  counts: counts("Rows of the batch by state, as they are counted."),
  entry: text("Its place in the outbox."),
  err: { takes: "`name`, `code`, `redis`, `at`", means: "An error, without its message, which might quote somebody." },
  exposure: { takes: "`what`, `grave`, `detail`", means: "A way in which clear values could leave the process." },
  fields: texts("What of it cannot be read."),
  first: text("The first of them."),
  foreign: number("Rows whose state is none."),
  grace_ms: number("How long calls under way may take, in ms."),
  held: flag("Whether this worker is the one that does it."),
  in_force: text("The quota that counts now."),
  job: textOrNull("Id of the job, for `satyapan show` and `explain`; null: it has none."),
  jobs: number("How many jobs."),
  key: text("The key in Redis."),
  kind: text("What kind of finding it is."),
  last: text("The last of them."),
  lost: text("The quota that was lost."),
  metrics_port: number("The port of `/metrics`."),
  ms_from_now: number("When that is, in ms from now."),
  operation: text("The operation of the job."),
  outcome: textOrNull("How the attempt ended."),
  onboarding: text("Id of the onboarding, for `satyapan onboard show`."),
  parent: { takes: "`kind`, `of`, `part`", means: "Whose part the job is." },
  place: text("Where it was found."),
  provider: text("The provider."),
  providers: texts("The providers that this worker serves."),
  queue: text("The queue."),
  quota: text("The quota that counts now."),
  reason: textOrNull("Why, in a sentence that holds nothing personal."),
  redis: text("The Redis; or the first word of its refusal."),
  redis_clock_offset_ms: number("Redis' clock minus this machine's, in ms."),
  rows: number("How many rows the batch has."),
  settings: texts("The settings that differ."),
  state: text("The state that it is in from now on."),
  ticket: text("Name of the ticket."),
  trace_id: text("Its trace, where there is one."),
  until: number("When it is tried again, in ms since 1970."),
  warning: text("What is not as it should be, in a sentence."),
  share: number("Of the traces that are kept, 0 to 1."),
  shown: text("Its mask."),
  source: text("Where it was looked for."),
  what: text("What it is, or what was done, in words."),
  why: text("Which key is lacking, in a sentence."),
} as const satisfies Readonly<Record<string, LogField<unknown>>>;

export type LogFieldName = keyof typeof LOG_FIELDS;

export type LogValue<Name extends LogFieldName> =
  (typeof LOG_FIELDS)[Name] extends LogField<infer Value> ? Value : never;
