/** The share of the quota that is used is never lowered below this. */
const LEAST_SHARE = 0.05;
/** A lowered share doubles after so many ms without a 429, up to the last one that worked; and one above it has worked then. */
const CLIMB_MS = 5_000;
/** So long at the last share that worked before one above it is tried; doubles with each that brings a 429. */
const PROBE_MS = 10_000;
const PROBE_CAP_MS = 600_000;
/** How much more the first try takes; doubles with each that works. */
const PROBE_STEP = 0.01;
/** A 429 at a share that had worked for a while: it is nearly right, and so much of it is used from then on. */
const A_LITTLE_LESS = 0.9;
/** Two 429s with calls that went well between them, and no further apart: the share between them is what works. */
const RELATED_MS = 60_000;

/** Lua: what share of the shortest window is used: lowered by 429s, raised by calls that go well, as TCP does it. */
export const SHARE_LUA = `
local SHARE_FIELDS = {'factor', 'factor_at', 'factor_worked', 'factor_wait', 'factor_step'}

local function share_set(g, factor, worked, wait, step)
  redis.call('HSET', g.control, 'factor', factor, 'factor_at', g.now, 'factor_worked', worked, 'factor_wait', wait, 'factor_step', step)
end

-- Whether a share was used for so long that it works.
local function share_works(c, age)
  local window = tonumber(string.match(c.quota or '', '^%d+:(%d+)')) or 0
  return age >= math.max(${CLIMB_MS}, math.min(window, 60000))
end

-- A 429 that is none of the last one's.
local function share_lowered(g, c)
  local factor, worked = c.factor or 1, c.factor_worked or 1
  local longer = math.min(${PROBE_CAP_MS}, 2 * (c.factor_wait or ${PROBE_MS}))
  -- Expected: a try above what works.
  if factor > worked then return share_set(g, worked, worked, longer, ${PROBE_STEP}) end
  -- Where nothing went well since the last one it is no matter of the share: what worked before will work again.
  local isRelated = c.strike_at and g.now - c.strike_at < ${RELATED_MS} and not c.strikes
  if factor == worked and (c.factor or isRelated) then
    -- The whole was in use again one climb after the last one.
    local age = g.now - (c.factor and c.factor_at or c.strike_at + ${CLIMB_MS})
    local less = math.max(${LEAST_SHARE}, ${A_LITTLE_LESS} * worked)
    if share_works(c, age) then return share_set(g, less, less, longer, ${PROBE_STEP}) end
  end
  local half = math.max(${LEAST_SHARE}, factor / 2)
  if isRelated then worked = half end
  share_set(g, half, worked, ${PROBE_MS}, ${PROBE_STEP})
end

-- A call went well. Those that were begun with another share say nothing about this one.
local function share_climbs(g, c, ms)
  if not c.factor then return end
  local age = g.now - (c.factor_at or 0)
  if ms and ms > age + 10 then return end
  local factor, worked = c.factor, c.factor_worked or 1
  local wait, step = c.factor_wait or ${PROBE_MS}, c.factor_step or ${PROBE_STEP}
  if factor < worked then
    if age < ${CLIMB_MS} then return end
    factor = math.min(worked, 2 * factor)
  elseif factor > worked then
    if not share_works(c, age) then return end
    worked, wait, step = factor, ${PROBE_MS}, 2 * step
    factor = factor + step
  else
    if age < wait then return end
    factor = factor + step
  end
  if factor >= 1 then redis.call('HDEL', g.control, unpack(SHARE_FIELDS)) else share_set(g, factor, worked, wait, step) end
  changed(g)
end
`;

/** \`control\`'s fields of it: without them the whole quota is used. */
export const SHARE_FIELDS = ["factor", "factor_at", "factor_worked", "factor_wait", "factor_step"] as const;
