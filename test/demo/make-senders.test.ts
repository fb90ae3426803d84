import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeSenders, SENDERS } from "../../demo/make-senders.ts";
import { readSenders, SENDS } from "../../demo/senders.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { findOperation } from "../../src/operations/catalogue.ts";

const FILE = fileURLToPath(new URL("../../examples/senders.csv", import.meta.url));

describe("examples/senders.csv", () => {
  it("is what demo/make-senders.ts makes", () => {
    expect(readFileSync(FILE, "utf8")).toBe(makeSenders());
  });

  it("has 200 senders, no number twice, each fit for every operation of the demo", async () => {
    const senders = await readSenders("senders.csv", makeSenders());
    expect(senders).toHaveLength(SENDERS);
    expect(new Set(senders.flatMap(({ mobile, aadhaar }) => [mobile, aadhaar])).size).toBe(2 * SENDERS);
    for (const sender of senders) {
      for (const send of SENDS) {
        const input = sender.input(send);
        expect(() => parseInput(findOperation(send), input, { now: Date.now(), aadhaarChecksum: true })).not.toThrow();
      }
    }
  });
});
