-- What stops the whole credential or one of a job's scopes, and whose turn it is to try.
-- constants: PAUSE_MS, PAUSE_CAP_MS

-- What stops the whole credential now: cause, until when, detail. A turn that is due is only told: take_turn takes it.
local function stopped(g, control)
  if control.confirm_until and g.now < control.confirm_until then return 'throttled', control.confirm_until, 'failover' end
  if control.confirm_until then
    redis.call('HDEL', g.control_key, 'confirm_until')
    changed(g)
  end
  if control.hold and g.now < control.hold_probe then return 'held', control.hold_probe, control.hold end
  if control.pause_until and g.now < control.pause_until then return 'throttled', control.pause_until, '' end
  if control.breaker == 'open' and g.now < control.probe_at then return 'breaker', control.probe_at, '' end
  if control.breaker == 'ramp' and g.now < control.ramp_at then return 'breaker', control.ramp_at, 'ramp' end
end

-- Since when a job that was due then waits for nothing but a worker: what stops the whole credential is nobody's delay.
local function free_since(g, control, due_at)
  if control.hold or control.breaker then return g.now end
  local pause = control.pause_until and math.min(control.pause_until, g.now) or 0
  return math.max(tonumber(due_at) or 0, control.resumed_at or 0, pause)
end

-- One job tries for all, the others wait for what comes of it: until when.
local function take_turn(g, control, id, hold_ms, call_ms)
  local till
  if control.hold then
    redis.call('HSET', g.control_key, 'hold_probe', g.now + hold_ms, 'probe', id)
    till = g.now + hold_ms
  elseif control.breaker == 'open' then
    redis.call('HSET', g.control_key, 'probe_at', g.now + call_ms, 'probe', id)
    till = g.now + call_ms
  elseif control.breaker == 'ramp' then
    redis.call('HSET', g.control_key, 'ramp_at', g.now + control.ramp_gap)
    till = g.now + control.ramp_gap
  else
    return 0
  end
  changed(g)
  return till
end

-- The holds of a job's own scopes (a list of names): until when and why, or those whose turn it is to try.
local function scope_held(g, control, scopes)
  local due = {}
  if not control.scopes or control.scopes < 1 then return nil, nil, due end
  for scope in string.gmatch(scopes, '%S+') do
    local hold = control['hold:' .. scope]
    if hold then
      local since, probe, reason = string.match(hold, '^(%d+) (%d+) (.*)$')
      if g.now < tonumber(probe) then return tonumber(probe), reason end
      due[scope] = {since, reason}
    end
  end
  return nil, nil, due
end

local function take_scope_turns(g, due, hold_ms)
  for scope, hold in pairs(due) do
    redis.call('HSET', g.control_key, 'hold:' .. scope, hold[1] .. ' ' .. number(g.now + hold_ms) .. ' ' .. hold[2])
    changed(g)
  end
end

-- A 429: everybody pauses. Those of calls that were under way when the last one came are the same 429, as late as they come
-- (`ms`: how long the call took; nil: not known).
local function call_throttled(g, control, retry_after, ms)
  if control.pause_until and g.now < control.pause_until then return control.pause_until end
  if control.strike_at and ms and g.now - ms + SAME_MOMENT_MS < control.strike_at then return g.now end
  local strikes = (control.strikes or 0) + 1
  local pause = retry_after or math.min(PAUSE_CAP_MS, PAUSE_MS * 2 ^ (strikes - 1))
  share_lowered(g, control)
  redis.call('HSET', g.control_key, 'strikes', strikes, 'strike_at', g.now, 'pause_until', g.now + pause)
  close_gate(g, g.now + pause)
  return g.now + pause
end

-- Our own side is refused: everything, or only the scope that is.
local function call_refused(g, control, scope, reason, hold_ms)
  local till = g.now + hold_ms
  if scope == '' then
    if not control.hold then redis.call('HSET', g.control_key, 'hold', reason, 'hold_since', g.now) end
    redis.call('HSET', g.control_key, 'hold_probe', till)
    close_gate(g, till)
  else
    local since, before = number(g.now), control['hold:' .. scope]
    if before then since = string.match(before, '^%d+') else redis.call('HINCRBY', g.control_key, 'scopes', 1) end
    redis.call('HSET', g.control_key, 'hold:' .. scope, since .. ' ' .. number(till) .. ' ' .. reason)
  end
  return till
end
