import {
  amountsPanel,
  BATCH_OVERRIDES,
  lowIsGood,
  numberPanel,
  override,
  ROW_OVERRIDES,
  stackPanel,
  STATE_OVERRIDES,
  third,
  ZERO_IS_GOOD,
} from "./looks.ts";
import type { RowSpec } from "./panel.ts";
import { CALLS, ENDED_OTPS, gauge, perSecond, PROVIDER_OPERATIONS, QUEUES, share, total } from "./queries.ts";
import { OPERATORS } from "./rows/operators.ts";
import { PERSONS } from "./rows/persons.ts";

function rows(states = ""): string {
  const matchers = states === "" ? QUEUES : `${QUEUES},state=~"${states}"`;
  return `sum (${gauge("queue, state", "satyapan_batch_rows", matchers)})`;
}

const GOES_ON = "waiting|queued|calling|awaiting_otp";
function ended(window: string): string {
  return `sum (rate(satyapan_batch_rows_ended_total{${QUEUES}}[${window}]))`;
}

/** Over a minute alone what is left jumps; over five it is told too small for minutes after a fast batch has ended. */
const PACE = `((${ended("5m")} < ${ended("1m")}) or ${ended("1m")})`;
const TIME_LEFT = `${rows(GOES_ON)} / (${PACE} > 0)`;
const PROGRESS = `1 - ${rows(GOES_ON)} / (${rows()} > 0)`;

const GLANCE: RowSpec = {
  title: "How far is it?",
  panels: [
    numberPanel(
      {
        title: "Open batches",
        description:
          "That have not ended. `satyapan batch list` names them; all numbers here are of all of them together.",
        unit: "short",
      },
      [{ value: null, color: "blue" }],
      `sum (${gauge("queue, state", "satyapan_batches_open", QUEUES)})`,
    ),
    numberPanel(
      {
        title: "Stopped batches",
        description:
          "By themselves: too many of their rows failed. `satyapan batch show BATCH` says why; `resume` goes on.",
        unit: "short",
      },
      ZERO_IS_GOOD,
      `sum (${gauge("queue, state", "satyapan_batches_open", `${QUEUES},state="stopped"`)})`,
    ),
    numberPanel(
      { title: "Rows done", description: "Of all rows of open batches. No data: none is open.", unit: "percentunit" },
      [{ value: null, color: "blue" }],
      PROGRESS,
    ),
    numberPanel(
      {
        title: "Time left",
        description: "At the rate of the last minute, or of five where that is slower. No data: nothing ends.",
        unit: "s",
      },
      [{ value: null, color: "blue" }],
      TIME_LEFT,
    ),
    numberPanel(
      {
        title: "Codes awaited",
        description: "OTPs that went out, of batches and of single jobs, and that nobody has answered yet.",
        unit: "short",
      },
      [{ value: null, color: "blue" }],
      `sum (${gauge("queue, left", "satyapan_challenges_open", QUEUES)})`,
    ),
    numberPanel(
      {
        title: "Codes unanswered",
        description: "Nobody gave a code in time: share of the OTPs that ended in the time range.",
        unit: "percentunit",
      },
      lowIsGood(0.2, 0.5),
      share(
        total("", "satyapan_challenges_total", `${PROVIDER_OPERATIONS},event="expired"`),
        total("", "satyapan_challenges_total", `${PROVIDER_OPERATIONS},event=~"${ENDED_OTPS}"`),
      ),
    ),
  ],
};

const MOVING: RowSpec = {
  title: "Rows",
  panels: [
    stackPanel(
      { title: "Rows of open batches by state", description: "A batch that ends leaves the picture.", unit: "short" },
      [`sum by (state) (${gauge("queue, state", "satyapan_batch_rows", QUEUES)})`, "{{state}}"],
      ROW_OVERRIDES,
    ),
    amountsPanel(
      { title: "Rows per second", description: "That are handed to the queue, and that end.", unit: "ops" },
      [perSecond("", "satyapan_batch_rows_fed_total", QUEUES), "handed over"],
      [perSecond("", "satyapan_batch_rows_ended_total", QUEUES), "end"],
    ),
    amountsPanel({ title: "Rows done", description: "Of all rows of open batches.", unit: "percentunit" }, [
      PROGRESS,
      "done",
    ]),
    amountsPanel(
      {
        title: "Time left",
        description: "At the rate of the minute before each moment, or of five where that is slower.",
        unit: "s",
      },
      [TIME_LEFT, "left"],
    ),
    third(
      stackPanel(
        { title: "Batches by state", description: "That have not ended. stopped: by themselves.", unit: "short" },
        [`sum by (state) (${gauge("queue, state", "satyapan_batches_open", QUEUES)})`, "{{state}}"],
        BATCH_OVERRIDES,
      ),
    ),
    third(
      amountsPanel(
        {
          title: "The feeder's lag",
          description:
            "Since the last whole look at a queue's batches, of the worker that feeds. Usual: up to 2 s, and 10 s where no batch runs.",
          unit: "s",
        },
        [`max by (queue) (satyapan_feeder_lag_seconds{${QUEUES}})`, "{{queue}}"],
      ),
    ),
    third(
      amountsPanel(
        {
          title: "Rows that are miscounted",
          description:
            "Of batches that are open or ended within the hour: not in the state they are counted in. Always 0, or reports are wrong.",
          unit: "short",
        },
        [`max by (queue) (satyapan_batch_rows_miscounted{${QUEUES}})`, "{{queue}}"],
      ),
    ),
  ],
};

const REASONS: RowSpec = {
  title: "Why rows end badly",
  panels: [
    stackPanel(
      { title: "Bulk jobs that ended, by state", description: "Jobs of the bulk lane per second.", unit: "ops" },
      [perSecond("state", "satyapan_jobs_settled_total", `${PROVIDER_OPERATIONS},lane="bulk"`), "{{state}}"],
      STATE_OVERRIDES,
    ),
    {
      type: "table",
      title: "What the provider says no with",
      description:
        "Over the time range, most first: calls of all lanes that did not succeed. docs/batches.md says what to do about each.",
      unit: "short",
      w: 12,
      h: 8,
      instant: true,
      queries: [
        [
          `${total("operation, outcome, response_status_id, response_type_id", "satyapan_calls_total", `${CALLS},outcome!="succeeded"`)} > 0`,
          "",
        ],
      ],
      transformations: [
        { id: "organize", options: { excludeByName: { Time: true }, renameByName: { Value: "calls" } } },
      ],
      options: { showHeader: true, cellHeight: "sm", sortBy: [{ displayName: "calls", desc: true }] },
      overrides: [override("calls", { decimals: 0 })],
    },
  ],
};

export const BATCHES: readonly RowSpec[] = [GLANCE, MOVING, OPERATORS, REASONS, PERSONS];
