import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { answerQuestions } from "./answer.ts";

// Loaded before a worker's own program (`node --import`), which so runs as it is and is measured all the same.

/** Between two samples of a profile, in µs. */
const SAMPLE_EVERY_US = 200;

const session = new Session();

answerQuestions({
  /** CPU time of this process so far, all its threads, in µs. */
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  startProfile: async () => {
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
    await session.post("Profiler.start");
  },
  /** Into this file. */
  stopProfile: async (file) => {
    const { profile } = await session.post("Profiler.stop");
    writeFileSync(String(file), JSON.stringify(profile));
    session.disconnect();
  },
});
process.channel?.unref(); // the program is to end when it would without this
