import { describe, expect, it } from "vitest";
import { formatRecord } from "../../../producers/report/format-record.ts";
import { attempt, jobRecord } from "./records.ts";

describe("a record for people", () => {
  it("says of a fresh job only what there is to say", () => {
    expect(formatRecord(jobRecord({ state: "queued" }))).toBe(`\
job        order-1
operation  eko.mobile-otp
lane       interactive
state      queued
created    2026-01-31T10:00:00.000Z
updated    2026-01-31T10:00:01.000Z
`);
  });

  it("shows why a job waits, until when, and when it expires", () => {
    const text = formatRecord(
      jobRecord({
        state: "waiting",
        reason: "pending: wait 1 of 3",
        next_attempt_at: "2026-01-31T10:01:00.000Z",
        expires_at: "2026-01-31T10:10:00.000Z",
      }),
    );
    expect(text).toMatch(/^reason +pending: wait 1 of 3$/m);
    expect(text).toMatch(/^tried again +2026-01-31T10:01:00.000Z$/m);
    expect(text).toMatch(/^expires +2026-01-31T10:10:00.000Z$/m);
  });

  it("marks a duplicate, and lists results as they are, false and empty ones too", () => {
    const result = { aadhaar: "XXXX XXXX 2346", reference_id: "29756208", mobile_match: false, tid: null };
    const text = formatRecord(jobRecord({ duplicate: true, result }));
    expect(text).toMatch(/^job +order-1 \(was there already\)$/m);
    expect(text).toMatch(/^result\.aadhaar +XXXX XXXX 2346$/m);
    expect(text).toMatch(/^result\.mobile_match +false$/m);
    expect(text).toMatch(/^result\.tid +null$/m);
  });

  it("lists each attempt with its reference, how long it took, and what came of it, an open one as open", () => {
    const eko = {
      kind: "unavailable",
      http_status: 500,
      status: 1,
      response_status_id: 1,
      message: "Try later",
    } as const;
    const text = formatRecord(jobRecord({ state: "active", attempts: [attempt(1, 120, eko), attempt(2, null)] }));
    const [, table = ""] = text.split("\n\n");
    const [, , first, second] = table.split("\n").map((line) => line.split(/\s{2,}/));
    expect(first).toEqual([
      "1",
      "ref-1",
      "2026-01-31T10:00:00.000Z",
      "120 ms",
      "unavailable (http 500, status 1, response_status_id 1): Try later",
    ]);
    expect(second).toEqual(["2", "ref-2", "2026-01-31T10:00:00.000Z", "open", "-"]);
  });

  it("shows an outcome without any code as its kind alone", () => {
    expect(formatRecord(jobRecord({ attempts: [attempt(1, 5, { kind: "unknown" })] }))).toMatch(/ {2}unknown$/m);
  });
});
