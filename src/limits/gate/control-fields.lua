-- The `control` hash and BullMQ's limiter. A batch reads each once, unless it changes them itself.
-- constants: FOREVER, LIMITER_FULL, LIMITER_CAP_MS

-- Fields that are never numbers, whatever they look like.
local TEXT_FIELDS = {epoch=1, run=1, lost_quota=1, quota=1, quota_by_hand=1, quota_configured=1, hold=1, probe=1, bad_id=1, flow=1, floor=1}
-- Fields that stop nobody.
local QUOTA_FIELDS = {epoch=1, run=1, lost_at=1, lost_quota=1, quota=1, quota_by_hand=1, quota_configured=1, strike_at=1, resumed_at=1, flow=1, full=1, floor=1, floor_owed=1}

local function number_fields()
  return {'factor', 'factor_at', 'factor_worked', 'factor_wait', 'factor_step', 'full', 'lost_at', 'confirm_until',
    'strikes', 'strike_at', 'pause_until', 'hold_since', 'hold_probe', 'scopes', 'bad', 'good', 'window_at', 'open_since',
    'open_ms', 'probe_at', 'ramp_at', 'ramp_gap', 'resumed_at'}
end

local function is_quota(text)
  if text == '' then return true end
  for window in string.gmatch(text .. ',', '(.-),') do
    local ms = string.match(window, '^%d+:(%d+)$')
    if not ms or tonumber(ms) == 0 then return false end
  end
  return true
end

-- Names of fields that are not what was written, or lack another that belongs to them.
local function broken_fields_of(control)
  local names = {}
  for _, name in ipairs(number_fields()) do
    local n = control[name]
    if n and (type(n) ~= 'number' or n ~= n or n < 0 or n > 1e16) then names[#names + 1] = name end
  end
  for _, name in ipairs({'quota', 'quota_by_hand', 'quota_configured'}) do
    if control[name] and not is_quota(control[name]) then names[#names + 1] = name end
  end
  for name, value in pairs(control) do
    if string.sub(name, 1, 5) == 'hold:' and not string.match(value, '^%d+ %d+ ') then names[#names + 1] = name end
  end
  if control.hold and not control.hold_probe then names[#names + 1] = 'hold' end
  local breaker = control.breaker
  local is_whole = breaker == nil or (breaker == 'open' and control.probe_at and control.open_ms)
    or (breaker == 'ramp' and control.ramp_at and control.ramp_gap)
  if not is_whole then names[#names + 1] = 'breaker' end
  if control.window_at and not control.bad then names[#names + 1] = 'window_at' end
  return names
end

-- `g` is the gate as one batch sees it: `prefix` and `bull` begin our keys and BullMQ's, `now` is in ms, `control` holds the
-- fields of its hash. While only the quota and what stops nobody is set (`quota_only`), no field is read again. `broken`: what
-- of it cannot be read (`control`: all of it); that is a stop.
local function read_control(g)
  if g.control and g.quota_only then return g.control end
  local flat = redis.pcall('HGETALL', g.control_key)
  local control = {}
  g.quota_only = true
  if flat.err then
    if not string.find(flat.err, 'WRONGTYPE', 1, true) then error(flat.err, 0) end
    g.quota_only, g.broken, g.control = false, 'control', control
    return control
  end
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    if not QUOTA_FIELDS[name] then g.quota_only = false end
    if TEXT_FIELDS[name] or string.sub(name, 1, 5) == 'hold:' then control[name] = value else control[name] = tonumber(value) or value end
  end
  local may_break = not g.quota_only or control.full or control.lost_at or control.strike_at or control.resumed_at or not is_quota(control.quota or '')
  g.names = may_break and broken_fields_of(control) or {}
  g.broken = #g.names > 0 and table.concat(g.names, ', ') or nil
  if g.broken then g.quota_only, control = false, {} end
  g.control = control
  return control
end

-- Without a quota, or with another epoch than its worker's, Redis has lost what the gate knew: that is a stop, never free.
local function has_forgotten(control, epoch)
  return (control.quota or '') == '' or (epoch ~= '' and control.epoch ~= epoch)
end

local function open_gate(prefix, bull)
  return {prefix = prefix, bull = bull, now = clock(), control_key = prefix .. 'control'}
end

-- What was read of it does not hold any more.
local function changed(g)
  g.control = nil
  g.windows = nil
end

-- BullMQ's own key of a rate limit, which every worker asks before it fetches: nobody takes a job until then.
local function close_gate(g, at)
  if at > g.now then
    g.closed = math.max(g.closed or 0, at)
    redis.call('SET', g.bull .. 'limiter', LIMITER_FULL, 'PX', math.min(math.ceil(at - g.now), LIMITER_CAP_MS))
  end
end
