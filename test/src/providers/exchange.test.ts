import { describe, expect, it } from "vitest";
import { steadyClock } from "../../../src/base/sleepless-clock.ts";
import { Exchange } from "../../../src/providers/exchange.ts";
import type { HttpReply } from "../../../src/providers/http.ts";

const CONTROLLER = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} };

function setup() {
  const replies: HttpReply[] = [];
  const exchange = new Exchange({ timeoutMs: 60_000, maxBodyBytes: 100, monotonic: steadyClock }, (reply) =>
    replies.push(reply),
  );
  return { exchange, replies };
}

describe("Exchange", () => {
  it("refuses to be written a second time, should undici ever move a call to another connection", () => {
    const { exchange, replies } = setup();
    exchange.onRequestStart(CONTROLLER);
    expect(() => exchange.onRequestStart(CONTROLLER)).toThrow("not to be written");
    exchange.onResponseError(CONTROLLER, new Error("not to be written"));
    expect(replies).toEqual([{ kind: "none", written: true, cause: { kind: "error", name: "Error" } }]);
  });

  it("keeps an error's code, or else its class, and never its message", () => {
    const causeOf = (error: Error): unknown => {
      const { exchange, replies } = setup();
      exchange.onResponseError(null, error);
      return replies[0]?.kind === "none" && replies[0].cause;
    };
    const named = (code: unknown): Error => Object.assign(new RangeError("getaddrinfo 9876543210"), { code });
    expect(causeOf(named("ENOTFOUND"))).toEqual({ kind: "network", code: "ENOTFOUND" });
    expect(causeOf(named("HPE_INVALID_CONSTANT"))).toEqual({ kind: "malformed", code: "HPE_INVALID_CONSTANT" });
    for (const code of ["9876543210", "to 9876543210", 5, undefined]) {
      expect(causeOf(named(code))).toEqual({ kind: "error", name: "RangeError" });
    }
  });

  it("is not written after its time, and says so", () => {
    const replies: HttpReply[] = [];
    const limits = { timeoutMs: 60_000, maxBodyBytes: 100, monotonic: steadyClock };
    const exchange = new Exchange(limits, (reply) => replies.push(reply), performance.now() - 1);
    expect(() => exchange.onRequestStart(CONTROLLER)).toThrow("not to be written");
    expect(replies).toEqual([{ kind: "none", written: false, cause: { kind: "too late" } }]);
  });

  it("settles once, whatever comes after", () => {
    const { exchange, replies } = setup();
    exchange.onRequestStart(CONTROLLER);
    exchange.onResponseStart(CONTROLLER, 204, {});
    exchange.onResponseEnd();
    exchange.onResponseError(CONTROLLER, new Error("late"));
    exchange.stop("timeout");
    expect(replies).toEqual([{ kind: "reply", status: 204, headers: {}, text: "" }]);
  });
});
