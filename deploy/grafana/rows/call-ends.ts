import { linesPanel, override, SHARE } from "../looks.ts";
import type { RowSpec } from "../panel.ts";
import { CALLS, calls, perSecond, share } from "../queries.ts";
import { callsByOutcome } from "../shared.ts";

const BY_STATUS = "provider, response_status_id";
const BY_REPLY = "operation, response_status_id, response_type_id";

export const CALL_ENDS: RowSpec = {
  title: "How calls end",
  panels: [
    {
      type: "bargauge",
      title: "Success by response_status_id",
      description:
        "Share of the calls with this response_status_id that succeeded, over the time range. Eko answers a sent OTP " +
        "with 1 as often as with 0. Deepvue's sub_code stands in its place; none: no envelope; other: not in the tables.",
      unit: "percentunit",
      w: 8,
      h: 10,
      instant: true,
      queries: [
        [`sort_desc(${share(calls(BY_STATUS, "succeeded"), calls(BY_STATUS))})`, "{{provider}} {{response_status_id}}"],
      ],
      options: {
        orientation: "horizontal",
        displayMode: "lcd",
        valueMode: "color",
        reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
      },
      defaults: SHARE,
    },
    {
      type: "table",
      title: "Success by operation and response_status_id",
      description: "Over the time range, most calls first.",
      unit: "short",
      w: 16,
      h: 10,
      instant: true,
      queries: [
        [`${calls(BY_REPLY)} > 0`, ""],
        [share(calls(BY_REPLY, "succeeded"), calls(BY_REPLY)), ""],
      ],
      transformations: [
        { id: "merge", options: {} },
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            indexByName: { operation: 0, response_status_id: 1, response_type_id: 2, "Value #A": 3, "Value #B": 4 },
            renameByName: { "Value #A": "calls", "Value #B": "succeeded" },
          },
        },
      ],
      options: { showHeader: true, cellHeight: "sm", sortBy: [{ displayName: "calls", desc: true }] },
      overrides: [
        override("calls", { decimals: 0 }),
        override("succeeded", {
          unit: "percentunit",
          ...SHARE,
          "custom.cellOptions": { type: "gauge", mode: "lcd", valueDisplayMode: "text" },
        }),
      ],
    },
    callsByOutcome({ description: "Calls per second, by how they ended." }),
    linesPanel(
      { title: "Success by operation", description: "Share of calls that succeeded.", unit: "percentunit" },
      [
        [
          share(
            perSecond("operation", "satyapan_calls_total", `${CALLS},outcome="succeeded"`),
            perSecond("operation", "satyapan_calls_total", CALLS),
          ),
          "{{operation}}",
        ],
      ],
      { min: 0, max: 1 },
    ),
  ],
};
