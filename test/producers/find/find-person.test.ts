import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { findPerson } from "../../../producers/find/find-person.ts";
import { archiveKey, queueOf, recordKey } from "../../../src/queues/names.ts";
import { createIds } from "../../../src/records/ids.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { subjectKey as subjectKeyOf } from "../../../src/secrets/subject-key.ts";
import { newJob } from "../../src/records/journal-bundle.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import {
  AADHAAR,
  AADHAAR_INPUT,
  type ClientBundle,
  MOBILE,
  MOBILE_INPUT,
  startClientBundle,
} from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { startWorkerBundle } from "../../support/worker.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const ACTOR = { name: "library:test", now: Date.now };

let bundle: ClientBundle;
beforeAll(async () => {
  bundle = await startClientBundle();
  const { client } = bundle;
  await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sms" });
  await client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "aadhaar" });
  await client.submit("eko.mobile-otp", { ...MOBILE_INPUT, mobile: "9123456781" }, { id: "another" });
  const person = {
    customer_id: MOBILE,
    aadhaar: AADHAAR,
    name: "Asha",
    dob: "1990-01-31",
    residence_address: "1 Road",
  };
  await client.onboard("eko.dmt-levin", person, { id: "levin" });
});
afterAll(async () => await bundle[Symbol.asyncDispose]());

describe("find", () => {
  it("tells all jobs and onboardings of a person, by either number, and those of no other", async () => {
    const { client } = bundle;
    const ids = async (number: string) => (await client.find(number)).map(({ kind, id }) => `${kind} ${id}`).toSorted();
    expect(await ids(MOBILE)).toEqual(["job sms", "onboarding levin"]);
    expect(await ids(` ${AADHAAR.slice(0, 4)} ${AADHAAR.slice(4, 8)}-${AADHAAR.slice(8)} `)).toEqual([
      ...["job aadhaar", "onboarding levin"],
    ]);
    expect(await ids("9000000000")).toEqual([]);
    expect(await client.find(MOBILE, { since: Date.now() + 60_000 })).toEqual([]);
  });

  it("finds what went into hashes of the archive that were not there when it began to look", async () => {
    await using own = await startClientBundle();
    const { redis, settings, records } = own;
    const queue = queueOf("eko");
    const subject = subjectKeyOf(settings.subjectKey, "mobile", MOBILE);
    const newId = createIds();
    const jobs = Array.from({ length: 30 }, (_, nth) => {
      const createdAt = Date.now() - nth * 60_000;
      return newJob({ id: newId.job(createdAt), subject, createdAt });
    });
    await records.create(queue, jobs);
    // More keys than one look asks for.
    await redis
      .client()
      .mset(...Array.from({ length: 3_000 }, (_, nth) => [`satyapan:{eko-0}:filler:${nth}`, ""]).flat());
    await using beside = await meanwhile(redis, /\bscan\r\n(?!\$1\r\n0\r)/, async (other) => {
      for (const { id } of jobs) {
        const { digest, job, updated } = await other.hgetall(recordKey(queue, id));
        const text = ["sdigest", "job", job, "updated", updated, ""].join("\0");
        expect(digest).toBe("digest");
        await other
          .multi()
          .hset(archiveKey(queue, id.slice(0, 5)), id, text)
          .del(recordKey(queue, id))
          .exec();
      }
    });
    const opened = { redis: beside.client, records: new RecordStore(beside.client, settings.retention) };
    const found = await findPerson({ ...opened, dataKeys: own.dataKeys }, settings, ACTOR, MOBILE, {});
    expect(found.map(({ id }) => id).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  });

  it("is in the audit log, by the hash alone", async () => {
    const entries = await bundle.redis.client().xrange(outboxKey(queueOf("eko")), "-", "+");
    const finds = entries.map(([, [, text = ""]]) => text).filter((text) => text.includes('"kind":"find"'));
    expect(finds.length).toBeGreaterThan(0);
    expect(finds.join("")).not.toMatch(/\d{10}/);
  });

  it("takes the number from standard input alone, and repeats nothing that is none", async () => {
    await using dir = await makeTempDir();
    const { subjectKey } = bundle.settings;
    const env = { REDIS_URL: bundle.redis.url, SATYAPAN_SUBJECT_KEY: subjectKey.open() };
    const keys = { SATYAPAN_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 3).toString("base64")}` };
    const run = async (args: string[], stdin: string) =>
      await satyapan(["find", ...args], { cwd: dir.path, env: { ...env, ...keys }, stdin });
    const found = await run(["--json"], `${MOBILE}\n`);
    expect(found).toMatchObject({ code: 0, stderr: "" });
    expect((JSON.parse(found.stdout) as { id: string }[]).map(({ id }) => id).toSorted()).toEqual(["levin", "sms"]);
    const bad = await run([], "12345678901\n");
    expect(bad).toMatchObject({ code: 2, stdout: "" });
    expect(bad.stderr).toMatch(/must be an Aadhaar number of 12 digits/);
    expect(bad.stderr).not.toContain("12345678901");
    expect((await run([MOBILE], "")).code).toBe(2);
  });
});

it("tells the row of a batch, also once its job is gone, and nothing of whom it was about before", async () => {
  await using worker = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
  const batches = new BatchBundle(worker.redis, worker.settings);
  const numbers = [madeUpMobile(1, "000"), madeUpMobile(2, "998")];
  const { id } = await batches.submit(
    batches.rows(2, (row) => numbers[row - 1] ?? ""),
    { stopAt: null },
  );
  await worker.startWorker();
  await batches.ended(id);
  const redis = worker.redis.client();
  await redis.del(...(await redis.keys("satyapan:{eko-0}:job:*")));
  const find = async (number: string) =>
    (await worker.client.find(number)).map(({ kind, id: of, name, state }) => [kind, of, name, state]);
  expect(await find(numbers[0] ?? "")).toEqual([["row", `${id}-1`, "eko.mobile-otp", "succeeded"]]);
  expect(await find(numbers[1] ?? "")).toEqual([["row", `${id}-2`, "eko.mobile-otp", "rejected"]]);
  const mended = batches.rows(2, () => madeUpMobile(3, "000")).filter(({ row }) => row === 2);
  await worker.client.batches.repairChecked(
    id,
    mended.map((row) => ({ ...row, repaired: 0 })),
  );
  await batches.ended(id);
  expect(await find(madeUpMobile(3, "000"))).toEqual([["row", `${id}-2r1`, "eko.mobile-otp", "succeeded"]]);
  expect(await find(numbers[1] ?? "")).toEqual([]);
});
