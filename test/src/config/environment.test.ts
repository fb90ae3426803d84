import { afterEach, describe, expect, it, vi } from "vitest";
import { readEnvironment } from "../../../src/config/environment.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("readEnvironment", () => {
  it("reads the process's variables, and does not follow them when they change", () => {
    vi.stubEnv("SATYAPAN_TEST", "before");
    const environment = readEnvironment();
    vi.stubEnv("SATYAPAN_TEST", "after");
    expect(environment["SATYAPAN_TEST"]).toBe("before");
  });
});
