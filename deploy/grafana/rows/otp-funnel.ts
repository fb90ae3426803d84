import type { ChallengeEvent } from "../../../src/telemetry/person-metrics.ts";
import { override } from "../looks.ts";
import type { Query, RowSpec } from "../panel.ts";
import { ENDED_OTPS, JOBS, share, total } from "../queries.ts";

/** What became of OTPs over the time range, by the operation that sent them. `event`: one, or some of them. */
function otps(event: string): string {
  return total("operation", "satyapan_challenges_total", `${JOBS},event=~"${event}"`);
}

/** The columns of the funnel: what goes out, what comes back, how it ends. */
const STEPS: readonly ChallengeEvent[] = [
  ...(["sent", "resent", "answered", "wrong", "rejected"] as const),
  ...(["spent", "expired", "verified"] as const),
];

export const OTP_FUNNEL: RowSpec = {
  title: "From the code that was sent to the person who is verified",
  panels: [
    {
      type: "table",
      title: "OTP funnel",
      description:
        "Over the time range: OTPs sent (resent: of these in another's place), codes given, of these wrong and otherwise " +
        "refused; and how OTPs ended: no code was right (spent), none came (expired), verified. Lost: of those that ended.",
      unit: "short",
      w: 24,
      h: 6,
      instant: true,
      link: "satyapan-batches",
      queries: [
        ...STEPS.map((event): Query => [otps(event), ""]),
        [share(otps("spent|expired"), otps(ENDED_OTPS)), ""],
      ],
      transformations: [
        { id: "merge", options: {} },
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            renameByName: Object.fromEntries(
              [...STEPS, "lost"].map((name, nth) => [`Value #${String.fromCodePoint(65 + nth)}`, name]),
            ),
          },
        },
      ],
      options: { showHeader: true, cellHeight: "sm" },
      defaults: { decimals: 0 },
      overrides: [override("lost", { unit: "percentunit", decimals: 0 })],
    },
  ],
};
