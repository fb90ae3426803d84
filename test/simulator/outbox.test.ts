import { describe, expect, it } from "vitest";
import { Outbox, type OutboxMessage } from "../../simulator/outbox.ts";

function message(to: string, changes: Partial<OutboxMessage> = {}): Omit<OutboxMessage, "seq"> {
  return {
    at: 0,
    to,
    mobile: null,
    operation: "eko.mobile-otp",
    otp: "1",
    reference: "r",
    client_ref_id: null,
    ...changes,
  };
}

function outboxWith(...messages: Omit<OutboxMessage, "seq">[]): Outbox {
  const outbox = new Outbox(Number.POSITIVE_INFINITY);
  for (const one of messages) outbox.post(one);
  return outbox;
}

describe("Outbox", () => {
  it("finds a person's messages, newest first, by Aadhaar or mobile number", () => {
    const outbox = outboxWith(message("a", { mobile: "m" }), message("b"), message("a", { otp: "2" }));
    expect(outbox.find("a", 0, 9).map(({ seq }) => seq)).toEqual([3, 1]);
    expect(outbox.find("m", 0, 9).map(({ seq }) => seq)).toEqual([1]);
    expect(outbox.find(null, 1, 9).map(({ seq }) => seq)).toEqual([3, 2]);
    expect(outbox.find("a", 0, 1).map(({ seq }) => seq)).toEqual([3]);
  });

  it("waits for a message that has not come yet", async () => {
    const outbox = outboxWith(message("a"));
    const waiting = outbox.wait("a", 1, 5_000);
    outbox.post(message("b"));
    outbox.post(message("a", { otp: "2" }));
    expect(await waiting).toMatchObject({ seq: 3, otp: "2" });
  });

  it("gives up waiting when the time is over, and when it is released", async () => {
    const outbox = outboxWith();
    expect(await outbox.wait("a", 0, 1)).toBeUndefined();
    const waiting = outbox.wait("a", 0, 60_000);
    outbox.release();
    expect(await waiting).toBeUndefined();
  });

  it("names who was sent more than one OTP by one operation", () => {
    const outbox = outboxWith(
      message("a"),
      message("b"),
      message("a"),
      message("b", { operation: "other" }),
      message("a"),
    );
    expect(outbox.repeated()).toEqual([{ operation: "eko.mobile-otp", to: "a", count: 3 }]);
  });

  it("forgets the oldest beyond its limit, but still counts them", () => {
    const outbox = new Outbox(2);
    for (const to of ["a", "b", "c", "d", "e"]) outbox.post(message(to));
    expect(outbox.messages.map(({ to }) => to)).toEqual(["d", "e"]);
    expect(outbox.sent).toBe(5);
  });

  it("goes on with its numbers after it was cleared", () => {
    const outbox = outboxWith(message("a"));
    outbox.clear();
    outbox.post(message("b"));
    expect(outbox.messages).toMatchObject([{ seq: 2, to: "b" }]);
    expect(outbox.sent).toBe(1);
  });
});
