import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * When a test that waits for something gives it up, in ms. No claim about how soon it comes: the machine may be as busy as it
 * likes. A test that claims one measures it.
 */
const GIVEN_UP_MS = 60_000;

// oxlint-disable-next-line import/no-default-export -- Vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 10 * GIVEN_UP_MS,
    hookTimeout: 10 * GIVEN_UP_MS,
    expect: { poll: { timeout: GIVEN_UP_MS } },
    restoreMocks: true,
    // Most tests wait for a window, a process or Redis most of their time: two at once for each core.
    maxWorkers: 2 * availableParallelism(),
    // No module here has a state, and loading them anew for each file took half of the CPU time of small ones.
    isolate: false,
  },
});
