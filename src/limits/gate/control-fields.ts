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

local NUMBERS = {'factor', 'factor_at', 'factor_worked', 'factor_wait', 'factor_step', 'full', 'lost_at', 'confirm_until',
  'strikes', 'strike_at', 'pause_until', 'hold_since', 'hold_probe', 'scopes', 'bad', 'good', 'window_at', 'open_since',
  'open_ms', 'probe_at', 'ramp_at', 'ramp_gap', 'floor_owed'}

local function is_quota(text)
  if text == '' then return true end
  for window in string.gmatch(text .. ',', '(.-),') do
    local ms = string.match(window, '^%d+:(%d+)$')
    if not ms or tonumber(ms) == 0 then return false end
  end
  return true
end

-- Names of fields that are not what was written, or lack another that belongs to them.
local function broken_fields_of(c)
  local names = {}
  for _, name in ipairs(NUMBERS) do
    local n = c[name]
    if n and (type(n) ~= 'number' or n ~= n or n < 0 or n > 1e16) then names[#names + 1] = name end
  end
  for _, name in ipairs({'quota', 'quota_by_hand', 'quota_configured'}) do
    if c[name] and not is_quota(c[name]) then names[#names + 1] = name end
  end
  for name, value in pairs(c) do
    if string.sub(name, 1, 5) == 'hold:' and not string.match(value, '^%d+ %d+ ') then names[#names + 1] = name end
  end
  if c.hold and not c.hold_probe then names[#names + 1] = 'hold' end
  local whole = c.breaker == nil or (c.breaker == 'open' and c.probe_at and c.open_ms) or (c.breaker == 'ramp' and c.ramp_at and c.ramp_gap)
  if not whole then names[#names + 1] = 'breaker' end
  if c.window_at and not c.bad then names[#names + 1] = 'window_at' end
  return names
end

-- The gate as one batch sees it: \`now\` in ms, \`c\` the control fields that are set. While only quota and flow are (\`calm\`),
-- nothing stops anybody, and no field is read again. \`broken\`: what of it cannot be read (\`control\`: all of it); that is a stop.
local function read_control(g)
  if g.c and g.calm then return g.c end
  local flat = redis.pcall('HGETALL', g.P .. 'control')
  local c = {}
  g.calm = true
  if flat.err then
    if not string.find(flat.err, 'WRONGTYPE', 1, true) then error(flat.err, 0) end
    g.calm, g.broken, g.c = false, 'control', c
    return c
  end
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    if not CALM[name] then g.calm = false end
    if TEXT[name] or string.sub(name, 1, 5) == 'hold:' then c[name] = value else c[name] = tonumber(value) or value end
  end
  local mayBreak = not g.calm or c.full or c.lost_at or c.strike_at or not is_quota(c.quota or '')
  g.names = mayBreak and broken_fields_of(c) or {}
  g.broken = #g.names > 0 and table.concat(g.names, ', ') or nil
  if g.broken then g.calm, c = false, {} end
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
