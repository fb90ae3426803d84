import { expect, it } from "vitest";
import { readText } from "./compose-file.ts";
import { METRICS } from "./metrics-contract.ts";

it("docs/monitoring.md names every metric of ours, and none that there is not", () => {
  const text = readText("docs/monitoring.md");
  const named = new Set(Array.from(text.matchAll(/^\| `(satyapan_\w+)`/gm), ([, name = ""]) => name));
  expect([...named].toSorted()).toEqual(
    Object.keys(METRICS)
      .filter((name) => name.startsWith("satyapan_"))
      .toSorted(),
  );
});
