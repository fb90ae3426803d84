import { amountsPanel, EVENT_OVERRIDES, linesPanel, ONBOARDING_OVERRIDES, SHARE, stackPanel, third } from "../looks.ts";
import type { RowSpec } from "../panel.ts";
import { ENDED_OTPS, FLOWS, gauge, perSecond, PROVIDER_OPERATIONS, QUEUES, share } from "../queries.ts";
import { openChallenges } from "../shared.ts";

/** Few OTPs end in a minute: over ten a share does not jump. */
function endedLately(events: string): string {
  return `sum by (operation) (increase(satyapan_challenges_total{${PROVIDER_OPERATIONS},event=~"${events}"}[10m]))`;
}

export const PERSONS: RowSpec = {
  title: "Persons",
  panels: [
    openChallenges(),
    stackPanel(
      {
        title: "How OTPs end",
        description:
          "Per second, each once: verified; resent: another took its place; spent: codes came, none was right; expired: none " +
          "came. The last two are told when the OTP runs out, up to ten minutes after it was sent.",
        unit: "ops",
      },
      [
        perSecond("event", "satyapan_challenges_total", `${PROVIDER_OPERATIONS},event=~"${ENDED_OTPS}|resent"`),
        "{{event}}",
      ],
      EVENT_OVERRIDES,
    ),
    linesPanel(
      {
        title: "Answered",
        description:
          "Of the OTPs that ended in the 10 minutes before each moment, by operation: the share for which a code was given.",
        unit: "percentunit",
      },
      [[share(endedLately("verified|spent"), endedLately(ENDED_OTPS)), "{{operation}}"]],
      SHARE,
    ),
    stackPanel(
      { title: "Codes that were given", description: "Per second, by what the provider said.", unit: "ops" },
      [
        perSecond("event", "satyapan_challenges_total", `${PROVIDER_OPERATIONS},event=~"verified|wrong|rejected"`),
        "{{event}}",
      ],
      EVENT_OVERRIDES,
    ),
    third(
      stackPanel(
        {
          title: "Onboardings that are not over",
          description: "By state. awaiting_otp: a person is to read out a code. Of many told from a sample.",
          unit: "short",
        },
        [`sum by (state) (${gauge("flow, state", "satyapan_onboardings_open", FLOWS)})`, "{{state}}"],
        ONBOARDING_OVERRIDES,
      ),
    ),
    third(
      stackPanel(
        { title: "Onboardings that ended", description: "Per second, by how.", unit: "ops" },
        [perSecond("state", "satyapan_onboardings_ended_total", FLOWS), "{{state}}"],
        ONBOARDING_OVERRIDES,
      ),
    ),
    third(
      amountsPanel(
        {
          title: "Onboardings that stand still",
          description:
            "Since when the running one that moved longest ago has not, by lane; and since when one should have been looked at.",
          unit: "s",
        },
        [`max by (lane) (satyapan_onboarding_unmoved_seconds{${QUEUES}})`, "{{lane}}"],
        [gauge("queue", "satyapan_onboarding_lag_seconds", QUEUES), "{{queue}} not looked at"],
      ),
    ),
  ],
};
