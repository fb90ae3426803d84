import { expect, it } from "vitest";
import { wordOf } from "../../../chaos/failover/refusals.ts";
import { ErrorCode, SatyapanError } from "../../../src/base/error.ts";

it.each<[error: unknown, word: string]>([
  [new Error("Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1"), "MOVED"],
  [new SatyapanError(ErrorCode.REDIS_UNSUITABLE, "Redis refused a command (TRYAGAIN): see its log"), "TRYAGAIN"],
  [
    new SatyapanError(ErrorCode.REDIS_UNREACHABLE, "lost", { cause: new Error("CLUSTERDOWN Hash slot") }),
    "CLUSTERDOWN",
  ],
  [new SatyapanError(ErrorCode.REDIS_UNREACHABLE, "lost"), ErrorCode.REDIS_UNREACHABLE],
  [new TypeError("lost"), "TypeError"],
  ["lost", "something else"],
])("names a refused submit by Redis' own word, else by its code: %s", (error, word) => {
  expect(wordOf(error)).toBe(word);
});
