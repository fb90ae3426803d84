import { fixedColours, linesPanel, OUTCOME_OVERRIDES, stackPanel, timelinePanel, type Words } from "./looks.ts";
import { TIMES_LEFT } from "../../src/records/measure-challenges.ts";
import type { PanelSpec, Query } from "./panel.ts";
import { CALLS, gauge, perSecond, PROVIDERS, QUEUES } from "./queries.ts";

/** Panels that stand on more than one dashboard, with what each says of them. */
type Own = Pick<Words, "description" | "link">;

export function callsByOutcome(own: Own): PanelSpec {
  return stackPanel(
    { title: "Calls by outcome", unit: "reqps", ...own },
    [perSecond("outcome", "satyapan_calls_total", CALLS), "{{outcome}}"],
    OUTCOME_OVERRIDES,
  );
}

export function quotaUsed(own: Own): PanelSpec {
  return linesPanel(
    { title: "Quota used", unit: "percentunit", ...own },
    [[gauge("provider, window", "satyapan_quota_used_ratio", PROVIDERS), "{{provider}} {{window}}"]],
    { min: 0, max: 1 },
  );
}

export function held(own: Own): PanelSpec {
  return timelinePanel(
    { title: "Held", unit: "short", ...own },
    [gauge("provider, reason", "satyapan_provider_held", PROVIDERS), "{{provider}} {{reason}}"],
    // Not "open": of a breaker that would be the opposite.
    ["free", "held"],
  );
}

/** Nearest to their end first; the redder, the less time is left. */
const LEFT_OVERRIDES = fixedColours({ "1m": "red", "3m": "orange", "10m": "green", longer: "light-green" });

export function openChallenges(): PanelSpec {
  const open = (left: string): Query => [
    `sum by (left) (${gauge("queue, left", "satyapan_challenges_open", `${QUEUES},left="${left}"`)})`,
    "{{left}}",
  ];
  const words: Words = {
    title: "Open challenges by time left",
    description:
      "OTPs that went out and that nobody has answered yet, by the time that is left at most. Of many told from a sample.",
    unit: "short",
    link: "satyapan-batches",
  };
  // One by one: Prometheus has 10m before 1m.
  return { ...stackPanel(words, open(""), LEFT_OVERRIDES), queries: TIMES_LEFT.map(open) };
}
