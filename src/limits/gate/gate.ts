import { BREAKER } from "./breaker.ts";
import { COOLDOWN } from "./cooldown.ts";
import { FLOOR } from "./floor.ts";
import { FLOW } from "./flow.ts";
import { QUOTA } from "./quota.ts";
import { STOPS } from "./stops.ts";

/**
 * The gate: whether an attempt may start now, decided for all processes together, in the same atomic step that opens it in
 * the journal. These Lua functions stand in front of the records' scripts. All keys carry the queue's hash tag (`prefix` is
 * `satyapan:{queue}:`, `bull` BullMQ's `bull:{queue}:`); the clock is Redis' own, in ms.
 *
 * `control` is one hash per credential:
 * | field | holds |
 * | --- | --- |
 * | `quota` | windows as `max:ms,max:ms`, shortest first |
 * | `quota_by_hand`, `quota_configured` | the same, as `satyapan quota set` and as the workers' settings want it |
 * | `factor`, `factor_at` | share of the shortest window that is used (absent = all), lowered by 429s; since when |
 * | `factor_worked`, `factor_wait`, `factor_step` | the last share that worked; how long, in ms, before more is tried; how much more |
 * | `flow` | calls at once: limit, what a call took lately and takes usually (ms), when one last went well, when the limit fell |
 * | `full` | all places are taken, and so the gate is closed; until when it was closed for another reason |
 * | `epoch` | made up when the gate first was; another or none: Redis lost its data since |
 * | `run`, `confirm_until` | the server's run id; after another took over, until when workers bring the permits that they know of |
 * | `lost_at`, `lost_quota` | when Redis lost its data, and the quota by hand that went with it |
 * | `strikes`, `strike_at` | 429s in a row, and when the last one came |
 * | `pause_until` | end of the pause after a 429 |
 * | `hold`, `hold_since`, `hold_probe` | why everything is held, since when, and when one job may try |
 * | `scopes`, `hold:SCOPE` | how many are held by themselves, and each `user_code:X`, … as `since probe reason` |
 * | `breaker` | absent = closed, else `open` or `ramp` |
 * | `bad`, `good`, `window_at`, `bad_id` | jobs that failed and calls that went well since `window_at`, and the last such job; absent while all go well |
 * | `open_since`, `open_ms`, `probe_at` | since when it is open, for how long at a time, and when one job may try |
 * | `probe` | id of the job that tries for all: only its call lifts a hold or says how an open breaker goes on |
 * | `ramp_at`, `ramp_gap` | earliest next call of the ramp, and the gap between two, in ms |
 * | `resumed_at` | when a hold, a breaker or a pause was last over: a job that came before waits for a worker only since then |
 * | `floor` | turns that bulk is owed, and jobs to come of the bulk entry that was brought to the queue's front, and when it, or one of them, came |
 */
export const GATE = [STOPS, COOLDOWN, QUOTA, FLOW, BREAKER, FLOOR] as const;
