import type { BackendFactory, RedisQueueBackend } from "bullmq";
import { describe, expect, it } from "vitest";
import { tellOfWokenFetches } from "../../../src/queues/woken-fetch.ts";

/** A worker's backend that is woken by everything, fetches nothing, and writes down what it sends. */
function woken(onFetch: (token: string) => Promise<void>) {
  const sent: string[] = [];
  const plain = {
    waitForJob: async () => 0,
    moveToActive: async (token: string) => {
      await backend.execCommand({} as never, "moveToActive", [token]);
      return [];
    },
    execCommand: async (_client: unknown, _command: string, [token]: readonly string[]) => void sent.push(token ?? ""),
  };
  const factory = (() => plain) as unknown as BackendFactory<RedisQueueBackend>;
  const tell = async (token: string): Promise<void> => {
    sent.push(`asked ${token}`);
    await onFetch(token);
  };
  const backend = tellOfWokenFetches(factory, tell)("q", {} as never, {});
  return { backend, sent };
}

describe("a worker's fetch after it was woken", () => {
  it("is told in its own turn, and others are not", async () => {
    const { backend, sent } = woken(async () => {});
    await backend.moveToActive("first", "w");
    await backend.waitForJob(1);
    void backend.moveToActive("second", "w");
    expect(sent).toEqual(["first", "second", "asked second"]);
  });

  it("is followed by the next one only when what was asked with it was answered, and others have had their turn", async () => {
    const asked = Promise.withResolvers<void>();
    const { backend, sent } = woken(async () => await asked.promise);
    await backend.waitForJob(1);
    await backend.moveToActive("woken", "w");
    const next = backend.moveToActive("next", "w");
    void asked.promise.then(() => sent.push("acted on"));
    asked.resolve();
    await next;
    expect(sent).toEqual(["woken", "asked woken", "acted on", "next"]);
    await backend.moveToActive("after", "w");
    expect(sent.at(-1)).toBe("after");
  });

  it("fails with what was asked at most once: the one after that is sent", async () => {
    const { backend, sent } = woken(async () => await Promise.reject(new Error("a fault of ours")));
    await backend.waitForJob(1);
    await backend.moveToActive("woken", "w");
    await expect(backend.moveToActive("next", "w")).rejects.toThrow("a fault of ours");
    await backend.moveToActive("after", "w");
    expect(sent).toEqual(["woken", "asked woken", "after"]);
  });
});
