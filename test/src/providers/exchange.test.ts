import { describe, expect, it } from "vitest";
import { Exchange, TOO_LATE } from "../../../src/providers/exchange.ts";
import type { HttpReply } from "../../../src/providers/http.ts";

const CONTROLLER = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} };

function setup() {
  const replies: HttpReply[] = [];
  const exchange = new Exchange({ timeoutMs: 60_000, maxBodyBytes: 100 }, (reply) => replies.push(reply));
  return { exchange, replies };
}

describe("Exchange", () => {
  it("refuses to be written a second time, should undici ever move a call to another connection", () => {
    const { exchange, replies } = setup();
    exchange.onRequestStart(CONTROLLER);
    expect(() => exchange.onRequestStart(CONTROLLER)).toThrow("not to be written");
    exchange.onResponseError(CONTROLLER, new Error("not to be written"));
    expect(replies).toEqual([{ kind: "none", written: true, reason: "no reply: Error" }]);
  });

  it("is not written after its time, and says so", () => {
    const replies: HttpReply[] = [];
    const limits = { timeoutMs: 60_000, maxBodyBytes: 100 };
    const exchange = new Exchange(limits, (reply) => replies.push(reply), performance.now() - 1);
    expect(() => exchange.onRequestStart(CONTROLLER)).toThrow("not to be written");
    expect(replies).toEqual([{ kind: "none", written: false, reason: TOO_LATE }]);
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
