/** Lua: the clock, BullMQ's limiter, and the `control` hash. A batch reads each once, unless it changes them itself. */
export const CONTROL_LUA = `
local FOREVER = 8640000000000000

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function number(value)
  return string.format('%.0f', value)
end

-- Never numbers, whatever they look like.
local TEXT = {epoch=1, run=1, lost_quota=1, quota=1, quota_by_hand=1, quota_configured=1, hold=1, probe=1, bad_id=1, flow=1}
local CALM = {epoch=1, run=1, lost_at=1, lost_quota=1, quota=1, quota_by_hand=1, quota_configured=1, strike_at=1, flow=1, full=1}

-- The gate as one batch sees it: \`now\` in ms, \`c\` the control fields that are set. While only quota and flow are (\`calm\`),
-- nothing stops anybody, and no field is read again.
local function read_control(g)
  if g.c and g.calm then return g.c end
  local flat = redis.call('HGETALL', g.P .. 'control')
  local c = {}
  g.calm = true
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    if not CALM[name] then g.calm = false end
    if TEXT[name] or string.sub(name, 1, 5) == 'hold:' then c[name] = value else c[name] = tonumber(value) or value end
  end
  g.c = c
  return c
end

-- Without a quota, or with another epoch than its worker's, Redis has lost what the gate knew: that is a stop, never free.
local function has_forgotten(c, epoch)
  return (c.quota or '') == '' or (epoch ~= '' and c.epoch ~= epoch)
end

local function open_gate(P, B)
  return {P = P, B = B, now = clock(), control = P .. 'control'}
end

-- What was read of it does not hold any more.
local function changed(g)
  g.c = nil
  g.windows = nil
end

-- BullMQ's own key of a rate limit, which every worker asks before it fetches: nobody takes a job until then.
local function close_gate(g, at)
  if at > g.now then
    g.closed = math.max(g.closed or 0, at)
    redis.call('SET', g.B .. 'limiter', '9007199254740991', 'PX', math.min(math.ceil(at - g.now), 86400000))
  end
end
`;
