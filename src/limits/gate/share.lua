-- What share of the shortest window is used: lowered by 429s, raised by calls that go well, as TCP does it.
-- constants: LEAST_SHARE, CLIMB_MS, PROBE_MS, PROBE_CAP_MS, PROBE_STEP, A_LITTLE_LESS, RELATED_MS, LONGEST_TRY_MS, SAME_MOMENT_MS, SHARE_FIELDS

local function share_set(g, factor, worked, wait, step)
  redis.call('HSET', g.control_key, 'factor', factor, 'factor_at', g.now, 'factor_worked', worked, 'factor_wait', wait, 'factor_step', step)
end

-- Whether a share was used long enough to say that it works.
local function share_works(control, age)
  local window = tonumber(string.match(control.quota or '', '^%d+:(%d+)')) or 0
  return age >= math.max(CLIMB_MS, math.min(window, LONGEST_TRY_MS))
end

-- A 429 that is none of the last one's.
local function share_lowered(g, control)
  local factor, worked = control.factor or 1, control.factor_worked or 1
  local longer = math.min(PROBE_CAP_MS, 2 * (control.factor_wait or PROBE_MS))
  -- Expected: a try above what works.
  if factor > worked then return share_set(g, worked, worked, longer, PROBE_STEP) end
  -- Where nothing went well since the last one it is no matter of the share: what worked before will work again.
  local is_related = control.strike_at and g.now - control.strike_at < RELATED_MS and not control.strikes
  if factor == worked and (control.factor or is_related) then
    -- The whole was in use again one climb after the last one.
    local age = g.now - (control.factor and control.factor_at or control.strike_at + CLIMB_MS)
    local less = math.max(LEAST_SHARE, A_LITTLE_LESS * worked)
    if share_works(control, age) then return share_set(g, less, less, longer, PROBE_STEP) end
  end
  local half = math.max(LEAST_SHARE, factor / 2)
  if is_related then worked = half end
  share_set(g, half, worked, PROBE_MS, PROBE_STEP)
end

-- A call went well. Those that were begun with another share say nothing about this one.
local function share_climbs(g, control, ms)
  if not control.factor then return end
  local age = g.now - (control.factor_at or 0)
  if ms and ms > age + SAME_MOMENT_MS then return end
  local factor, worked = control.factor, control.factor_worked or 1
  local wait, step = control.factor_wait or PROBE_MS, control.factor_step or PROBE_STEP
  if factor < worked then
    if age < CLIMB_MS then return end
    factor = math.min(worked, 2 * factor)
  elseif factor > worked then
    if not share_works(control, age) then return end
    worked, wait, step = factor, PROBE_MS, 2 * step
    factor = factor + step
  else
    if age < wait then return end
    factor = factor + step
  end
  if factor >= 1 then redis.call('HDEL', g.control_key, unpack(SHARE_FIELDS)) else share_set(g, factor, worked, wait, step) end
  changed(g)
end
