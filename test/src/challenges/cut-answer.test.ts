import { expect, it } from "vitest";
import { Challenges } from "../../../src/challenges/challenges.ts";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { MOBILE_INPUT, startClientBundle } from "../../support/client.ts";
import { sentTwice } from "../../support/sent-twice.ts";

it("a code whose step is sent again, because its answer was cut off, was not given before", async () => {
  await using bundle = await startClientBundle();
  const { settings, dataKeys, records } = bundle;
  await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "send-1" });
  await bundle.begin("send-1", "eko", "r1");
  await bundle.finish("send-1", "eko", "succeeded", { result: { otp_sent: true, otp_ref_id: "ref" } });
  const answered = await sentTwice(bundle.redis, /job:send-1/, async (redis) => {
    const queues = new JobQueues(bundle.redis.client(), Date.now);
    const deps = { redis, records, queues, dataKeys, settings, subjectKey: settings.subjectKey, cooldownMs: 0 };
    const challenges = new Challenges({ ...deps, now: Date.now });
    const answer = async () => await challenges.answer(queueOf("eko"), "send-1", "123456", "me");
    const both = [await answer(), await answer()];
    await queues.close();
    return both;
  });
  expect(answered.map(({ isSame }) => isSame)).toEqual([false, true]);
});
