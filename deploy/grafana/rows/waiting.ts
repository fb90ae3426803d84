import { amountsPanel, CAUSE_OVERRIDES, linesPanel, stackPanel, STATE_OVERRIDES } from "../looks.ts";
import type { RowSpec } from "../panel.ts";
import { gauge, JOBS, perSecond, QUEUES } from "../queries.ts";
import { openChallenges } from "../shared.ts";

function settled(window: string): string {
  return `sum by (provider) (label_replace(rate(satyapan_jobs_settled_total{${JOBS}}[${window}]), "provider", "$1", "operation", "([a-z]+)[.].*"))`;
}

export const WAITING: RowSpec = {
  title: "What waits",
  panels: [
    stackPanel(
      {
        title: "Waiting by cause",
        description:
          "Why jobs are not worked on. worker: they lack nothing but one. Of long queues told from a sample.",
        unit: "short",
      },
      [`sum by (cause) (${gauge("queue, cause", "satyapan_jobs_waiting", QUEUES)})`, "{{cause}}"],
      CAUSE_OVERRIDES,
    ),
    linesPanel(
      { title: "Oldest waiting by queue", description: "Age of the oldest job that could run now.", unit: "s" },
      [[gauge("queue", "satyapan_queue_oldest_waiting_seconds", QUEUES), "{{queue}}"]],
    ),
    linesPanel(
      {
        title: "Jobs that come and jobs that are done",
        description: "Per second. Where more come than are done, queues grow.",
        unit: "ops",
      },
      [
        [
          `sum (max by (operation, lane) (rate(satyapan_jobs_submitted_total{${JOBS}}[$__rate_interval])))`,
          "submitted",
        ],
        [perSecond("", "satyapan_jobs_settled_total", JOBS), "settled"],
      ],
    ),
    linesPanel(
      {
        title: "Time to drain",
        description:
          "How long what is queued takes at the rate of the minute before each moment, or of five where that is slower. No data: " +
          "nothing is done.",
        unit: "s",
      },
      [
        [
          [
            `sum by (provider) (label_replace(${gauge("queue, state", "satyapan_queue_jobs", `${QUEUES},state=~"waiting|prioritized|delayed|active"`)}, "provider", "$1", "queue", "[{]([a-z]+)-.*"))`,
            `/ (((${settled("5m")} < ${settled("1m")}) or ${settled("1m")}) > 0)`,
          ].join("\n"),
          "{{provider}}",
        ],
      ],
    ),
    stackPanel(
      { title: "Jobs settled by state", description: "Jobs per second that reached an end.", unit: "ops" },
      [perSecond("state", "satyapan_jobs_settled_total", JOBS), "{{state}}"],
      STATE_OVERRIDES,
    ),
    amountsPanel(
      {
        title: "Jobs to decide",
        description: "unknown: `satyapan settle`; failed: `satyapan failed retry` or `drop`.",
        unit: "short",
      },
      [gauge("queue, state", "satyapan_jobs_undecided", QUEUES), "{{queue}} {{state}}"],
    ),
    amountsPanel({ title: "Waiting for a decision", description: "Since when the oldest of them waits.", unit: "s" }, [
      gauge("queue, state", "satyapan_jobs_undecided_oldest_seconds", QUEUES),
      "{{queue}} {{state}}",
    ]),
    openChallenges(),
  ],
};
