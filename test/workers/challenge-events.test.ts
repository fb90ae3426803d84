import { describe, expect, it } from "vitest";
import { findOperation } from "../../src/operations/catalogue.ts";
import { challengeEvents, type EndedJob } from "../../workers/challenge-events.ts";

const SEND = "eko.mobile-otp";
const SENT: EndedJob = { id: "a", state: "succeeded", reason: null, result: { otp_sent: true } };
const eventsOf = (operation: string, job: Partial<EndedJob>): readonly string[] | null =>
  challengeEvents(findOperation(operation), { ...SENT, ...job })?.events ?? null;

describe("what a job's end means for a challenge", () => {
  it.each([
    ["an OTP that went out", SEND, {}, ["sent"]],
    ["one that took the place of another", SEND, { id: "a-s2" }, ["sent", "resent"]],
    ["a person who needs none", "eko.dmt-levin.aadhaar-otp", { result: { otp_sent: false } }, null],
    ["a send that was rejected", SEND, { state: "rejected" as const }, null],
    ["the right code", `${SEND}.verify`, {}, ["answered", "verified"]],
    ["a wrong code", `${SEND}.verify`, { state: "rejected" as const, reason: "wrong OTP" }, ["answered", "wrong"]],
    ["another no", `${SEND}.verify`, { state: "rejected" as const, reason: "closed" }, ["answered", "rejected"]],
    ["a verify that nobody knows the end of", `${SEND}.verify`, { state: "unknown" as const }, null],
    ["a call without any code", "eko.dmt-levin.sender", {}, null],
  ])("%s", (_, operation, job, events) => {
    expect(eventsOf(operation, job)).toEqual(events);
  });

  it("is counted by the operation that sent the code", () => {
    expect(challengeEvents(findOperation(`${SEND}.verify`), SENT)?.send).toBe(SEND);
  });
});
