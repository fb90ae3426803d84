import type { JobRecord, RecordedOutcome } from "../src/records/record.ts";

interface Sighting {
  readonly what: string;
  readonly seenIn: (record: JobRecord) => boolean;
}

const isSend = ({ operation }: JobRecord): boolean => !operation.endsWith(".verify");
const anyOutcome = ({ attempts }: JobRecord, test: (outcome: RecordedOutcome) => boolean): boolean =>
  attempts.some(({ outcome }) => outcome !== null && test(outcome));

/** What a day with two providers brings, and the demo has to show. */
const SIGHTINGS: readonly Sighting[] = [
  {
    what: "Deepvue's 409 (an OTP is pending already), waited out, then sent",
    seenIn: (record) => record.state === "succeeded" && anyOutcome(record, ({ kind }) => kind === "pending"),
  },
  {
    what: "no mobile number linked to the Aadhaar: the provider's final no",
    seenIn: (record) =>
      record.state === "rejected" && anyOutcome(record, ({ sub_code }) => sub_code === "AADHAAR_MOBILE_NOT_LINKED"),
  },
  {
    what: "a wrong OTP, refused; the right one is accepted afterwards",
    seenIn: (record) => record.state === "rejected" && record.operation.endsWith(".verify"),
  },
  {
    what: 'Eko says "OTP sent" as status 2129, response_status_id 1',
    seenIn: (record) =>
      record.state === "succeeded" && isSend(record) && anyOutcome(record, ({ status }) => status === 2129),
  },
  {
    what: 'Eko says "OTP sent" as status 0, response_status_id 0',
    seenIn: (record) =>
      record.state === "succeeded" &&
      isSend(record) &&
      anyOutcome(record, ({ status, response_type_id }) => status === 0 && response_type_id === 2129),
  },
  {
    what: "a 5xx that recovered with backoff",
    seenIn: (record) =>
      record.state === "succeeded" &&
      anyOutcome(record, ({ kind, http_status }) => kind === "unavailable" && (http_status ?? 0) >= 500),
  },
];

export interface Sighted {
  readonly what: string;
  readonly count: number;
  /** One of them; null where there is none. */
  readonly example: string | null;
}

/** How often each of them was met. */
export function sightings(records: readonly JobRecord[]): Sighted[] {
  return SIGHTINGS.map(({ what, seenIn }) => {
    const seen = records.filter(seenIn);
    return { what, count: seen.length, example: seen[0]?.id ?? null };
  });
}
