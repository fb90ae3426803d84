import { expect, it } from "vitest";
import { processesIn } from "../support/processes.ts";
import { Script } from "../support/script.ts";
import { makeTempDir } from "../support/temp-dir.ts";

it.each(["test", "drill", "chaos", "failover", "bench"])(
  "what the %s harness started ends with it where that is killed, though it is frozen",
  async (what) => {
    await using place = await makeTempDir();
    await using script = new Script("watched-processes.ts", [what, place.path]);
    await script.line();
    const started = processesIn(place.path);
    expect(started).not.toHaveLength(0);
    // What is frozen hears nothing of its parent.
    for (const pid of started) process.kill(pid, "SIGSTOP");
    await script.kill9();
    await expect.poll(() => processesIn(place.path)).toEqual([]);
  },
);
