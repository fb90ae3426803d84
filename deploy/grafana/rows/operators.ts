import { amountsPanel, DECISION_OVERRIDES, LITTLE_IS_BAD, stackPanel, third } from "../looks.ts";
import type { RowSpec } from "../panel.ts";
import { gauge, QUEUES } from "../queries.ts";

export const OPERATORS: RowSpec = {
  title: "Operators",
  panels: [
    third(
      amountsPanel(
        {
          title: "Who talks to whom",
          description:
            "Senders whom an operator has now, and senders whose code is awaited and whom none has. Where codes come by another " +
            "way than `batch call`, nobody has any.",
          unit: "short",
        },
        [`sum (${gauge("queue", "satyapan_batch_senders_taken", QUEUES)})`, "an operator has"],
        [`sum (${gauge("queue", "satyapan_batch_senders_unattended", QUEUES)})`, "nobody has"],
      ),
    ),
    third(
      amountsPanel(
        {
          title: "First code to run out",
          description:
            "Of the senders whom nobody has: time until the first code is good no more. No data: there is none.",
          unit: "s",
          thresholds: LITTLE_IS_BAD,
        },
        [`min (${gauge("queue", "satyapan_batch_unattended_left_seconds", QUEUES)})`, "left"],
      ),
    ),
    third(
      stackPanel(
        {
          title: "What operators decide",
          description:
            "Per minute. code_…: what the provider said of a code that was read out; over: none is taken any more. wrong_number " +
            "and refused end the row.",
          unit: "opm",
        },
        [
          `60 * sum by (decision) (max by (queue, decision) (rate(satyapan_operator_decisions_total{${QUEUES}}[$__rate_interval])))`,
          "{{decision}}",
        ],
        DECISION_OVERRIDES,
      ),
    ),
  ],
};
