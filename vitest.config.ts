import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * When a test that waits for something gives it up, in ms. No claim about how soon it comes: the machine may be as busy as it
 * likes. A test that claims one measures it.
 */
const GIVEN_UP_MS = 60_000;

/** Tests that claim a rate or a time. */
const TIMING = "test/**/*.timing.test.ts";

// oxlint-disable-next-line import/no-default-export -- Vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    testTimeout: 10 * GIVEN_UP_MS,
    hookTimeout: 10 * GIVEN_UP_MS,
    expect: { poll: { timeout: GIVEN_UP_MS } },
    restoreMocks: true,
    // No module here has a state, and loading them anew for each file took half of the CPU time of small ones.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: "behaviour",
          include: ["test/**/*.test.ts"],
          exclude: [TIMING],
          // Most tests wait for a window, a process or Redis most of their time: two at once for each core.
          maxWorkers: 2 * availableParallelism(),
        },
      },
      {
        // After all others, one at a time. One that the machine held up is skipped (test/support/held-up.ts).
        extends: true,
        test: { name: "timing", include: [TIMING], maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
