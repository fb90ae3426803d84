import { describe, expect, it } from "vitest";
import { startWorkerBundle } from "../support/worker.ts";
import { madeUpMobile } from "../../simulator/people.ts";

describe("what holds a provider's jobs back", () => {
  it("is logged once when it begins and once when it is over, however often workers are scraped", async () => {
    await using bundle = await startWorkerBundle({ simulator: { faults: [{ fault: "bad-credentials", times: 1 }] } });
    const { metricsPort } = await bundle.startWorker();
    const scrape = async (): Promise<void> => {
      await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    };
    const said = (text: string): string[] => bundle.log.filter((line) => line.includes(text));
    await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent1" });
    await expect
      .poll(async () => {
        await scrape();
        return said("held back: none fails").length;
      })
      .toBe(1);
    expect(JSON.parse(said("held back: none fails")[0] ?? "")).toMatchObject({
      ...{ level: "warn", provider: "eko", reason: "credential" },
    });
    await scrape();
    await scrape();
    expect(said("held back: none fails")).toHaveLength(1);
    await bundle.client.gates.resume("eko", null);
    await expect
      .poll(async () => {
        await scrape();
        return said("held back no more").length;
      })
      .toBe(1);
  });
});
