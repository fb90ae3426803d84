import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createClient, type SpansLost } from "../../producers/index.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { batchSpan, spanIdOf, tracePlaceOf } from "../../src/records/trace-place.ts";
import { startClientBundle, testKeys } from "../support/client.ts";
import { type CollectedSpan, type Collector, startCollector } from "../support/collector.ts";
import { satyapan } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { startWorkerBundle } from "../support/worker.ts";
import { Lived } from "../support/lived.ts";

const SEND = "eko.mobile-otp";
const personOf = (nth: number) => ({ mobile: madeUpMobile(nth), csp_id: "agent-1" });
const submits = ({ spans }: Collector): CollectedSpan[] => spans.filter(({ name }) => name.startsWith("submit "));

describe("what a producer tells of a submission", () => {
  it("is a span below its job's, in the trace that the workers' spans are in, without anything of the person", async () => {
    await using collector = await startCollector();
    await using bundle = await startWorkerBundle({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
    await bundle.startWorker();
    const { id } = await bundle.client.submit(SEND, personOf(1), { id: "order-1" });
    await bundle.client.submit(SEND, personOf(1), { id: "order-1" });
    await bundle.client.waitFor(id);
    await bundle.client.close();
    await expect.poll(() => collector.spans.some(({ name }) => name === `job ${SEND}`)).toBe(true);
    const { traceId } = tracePlaceOf(id, null, 1);
    expect(submits(collector)).toMatchObject([
      { name: `submit ${SEND}`, kind: "producer", traceId, parentId: spanIdOf(id), isFailed: false },
    ]);
    expect(submits(collector)[0]?.attributes).toEqual({ "satyapan.job": id, "satyapan.operation": SEND });
    expect(collector.spans.find(({ name }) => name === `job ${SEND}`)).toMatchObject({ traceId, spanId: spanIdOf(id) });
    expect(Buffer.concat(collector.bodies).toString("latin1")).not.toContain(personOf(1).mobile);
  });

  it("is one for each of many, each onboarding and each batch, whose rows' traces lead to it", async () => {
    await using collector = await startCollector();
    await using bundle = await startWorkerBundle({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
    await bundle.startWorker();
    const { client } = bundle;
    const traceparent = `00-${"7".repeat(32)}-${"8".repeat(16)}-01`;
    const many = await client.submitMany(SEND, [1, 2, 3].map(personOf));
    const { id: onboarding } = await client.onboard("eko.mobile", personOf(4), { traceparent });
    const rows = [5, 6].map((nth) => ({
      ...{ row: nth - 4, state: "waiting" as const, ref: null, columns: {}, subject: null, input: personOf(nth) },
    }));
    const batch = await client.batches.submitChecked(rows, { operation: SEND });
    await expect
      .poll(() => collector.spans.filter(({ attributes }) => attributes["satyapan.batch"] === batch.id))
      .toHaveLength(3);
    await client.close();
    const told = submits(collector);
    expect(
      told.filter(({ name }) => name === `submit ${SEND}`).map(({ attributes }) => attributes["satyapan.job"]),
    ).toEqual(many.map(({ id }) => id));
    expect(told.find(({ name }) => name === "submit eko.mobile")).toMatchObject({
      ...{ traceId: "7".repeat(32), parentId: spanIdOf(onboarding) },
    });
    expect(told.find(({ name }) => name === "submit batch")).toMatchObject({ ...batchSpan(batch.id), parentId: "" });
    const rowSpans = collector.spans.filter(
      ({ name, attributes }) => name === `job ${SEND}` && attributes["satyapan.batch"] === batch.id,
    );
    expect(rowSpans.map(({ links }) => links)).toEqual([[batchSpan(batch.id)], [batchSpan(batch.id)]]);
  });

  it("is told by the command before it ends, and a collector that takes none is said once, and changes nothing", async () => {
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await using collector = await startCollector();
    await using dir = await makeTempDir();
    await writeFile(join(dir.path, "input.json"), JSON.stringify(personOf(7)));
    const run = async (endpoint: string, id: string) =>
      await satyapan(["submit", SEND, "--input", "@input.json", "--id", id], {
        cwd: dir.path,
        env: { ...keys, REDIS_URL: bundle.redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
      });
    expect(await run(collector.endpoint, "told-1")).toMatchObject({ code: 0, stderr: "" });
    expect(submits(collector).map(({ attributes }) => attributes["satyapan.job"])).toEqual(["told-1"]);
    collector.answer = 400;
    expect(await run(collector.endpoint, "told-2")).toMatchObject({
      code: 0,
      stderr: "satyapan: the trace of this is not told: OTEL_EXPORTER_OTLP_ENDPOINT takes no spans (HTTP_400)\n",
    });
    expect(await run("no address", "told-3")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("NO_ADDRESS") as string,
    });
  });

  it("tells a program each time that its spans are lost, how many and how, whatever it does with that", async () => {
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await using collector = await startCollector();
    const lostBy = (endpoint: string) => {
      const lost: SpansLost[] = [];
      const settings = { ...keys, REDIS_URL: bundle.redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
      const onSpansLost = (one: SpansLost): void => {
        lost.push(one);
        throw new Error("a fault of the program's own");
      };
      return { client: createClient({ settings, onSpansLost }), lost };
    };
    const { client, lost } = lostBy(collector.endpoint);
    await client.submit(SEND, personOf(1));
    await expect.poll(() => submits(collector)).toHaveLength(1);
    collector.answer = 400;
    await client.submitMany(SEND, [2, 3].map(personOf));
    await expect.poll(() => lost).toEqual([{ code: "HTTP_400", count: 2 }]);
    await client.submit(SEND, personOf(4));
    await client.close();
    expect(lost).toEqual([
      { code: "HTTP_400", count: 2 },
      { code: "HTTP_400", count: 1 },
    ]);
    const { client: astray, lost: lostAstray } = lostBy("no address");
    await astray.submitMany(SEND, [5, 6].map(personOf));
    await astray.onboard("eko.mobile", personOf(7));
    await astray.close();
    expect(lostAstray).toEqual([
      { code: "NO_ADDRESS", count: 2 },
      { code: "NO_ADDRESS", count: 1 },
    ]);
  });

  it("holds up neither a submission nor an end where the collector never answers", async () => {
    await using collector = await startCollector();
    collector.answer = null;
    await using bundle = await startWorkerBundle({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
    for (const nth of [1, 2, 3]) await bundle.client.submit(SEND, personOf(nth));
    using lived = new Lived();
    await bundle.client.close();
    expect(lived.ms).toBeLessThan(4_000);
    expect(collector.spans).toEqual([]);
  });
});
