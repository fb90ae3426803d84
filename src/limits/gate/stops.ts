/** Lua: what stops the whole credential or one of a job's scopes, and whose turn it is to try. */
export const STOPS_LUA = `
-- What stops the whole credential now: cause, until when, detail. A turn that is due is only told: take_turn takes it.
local function stopped(g, c)
  if c.confirm_until and g.now < c.confirm_until then return 'throttled', c.confirm_until, 'failover' end
  if c.confirm_until then
    redis.call('HDEL', g.control, 'confirm_until')
    changed(g)
  end
  if c.hold and g.now < c.hold_probe then return 'held', c.hold_probe, c.hold end
  if c.pause_until and g.now < c.pause_until then return 'throttled', c.pause_until, '' end
  if c.breaker == 'open' and g.now < c.probe_at then return 'breaker', c.probe_at, '' end
  if c.breaker == 'ramp' and g.now < c.ramp_at then return 'breaker', c.ramp_at, 'ramp' end
end

-- One job tries for all, the others wait for what comes of it: until when.
local function take_turn(g, c, id, holdMs, callMs)
  local till
  if c.hold then
    redis.call('HSET', g.control, 'hold_probe', g.now + holdMs, 'probe', id)
    till = g.now + holdMs
  elseif c.breaker == 'open' then
    redis.call('HSET', g.control, 'probe_at', g.now + callMs, 'probe', id)
    till = g.now + callMs
  elseif c.breaker == 'ramp' then
    redis.call('HSET', g.control, 'ramp_at', g.now + c.ramp_gap)
    till = g.now + c.ramp_gap
  else
    return 0
  end
  changed(g)
  return till
end

-- The holds of a job's own scopes (a list of names): until when and why, or those whose turn it is to try.
local function scope_held(g, c, scopes)
  local due = {}
  if not c.scopes or c.scopes < 1 then return nil, nil, due end
  for scope in string.gmatch(scopes, '%S+') do
    local hold = c['hold:' .. scope]
    if hold then
      local since, probe, reason = string.match(hold, '^(%d+) (%d+) (.*)$')
      if g.now < tonumber(probe) then return tonumber(probe), reason end
      due[scope] = {since, reason}
    end
  end
  return nil, nil, due
end

local function take_scope_turns(g, due, holdMs)
  for scope, hold in pairs(due) do
    redis.call('HSET', g.control, 'hold:' .. scope, hold[1] .. ' ' .. number(g.now + holdMs) .. ' ' .. hold[2])
    changed(g)
  end
end

-- A 429: everybody pauses. Those of calls that were under way when the last one came are the same 429, as late as they come
-- (\`ms\`: how long the call took; nil: not known).
local function call_throttled(g, c, retryAfter, ms)
  if c.pause_until and g.now < c.pause_until then return c.pause_until end
  if c.strike_at and ms and g.now - ms + 10 < c.strike_at then return g.now end
  local strikes = (c.strikes or 0) + 1
  local pause = retryAfter or math.min(60000, 1000 * 2 ^ (strikes - 1))
  share_lowered(g, c)
  redis.call('HSET', g.control, 'strikes', strikes, 'strike_at', g.now, 'pause_until', g.now + pause)
  close_gate(g, g.now + pause)
  return g.now + pause
end

-- Our own side is refused: everything, or only the scope that is.
local function call_refused(g, c, scope, reason, holdMs)
  local till = g.now + holdMs
  if scope == '' then
    if not c.hold then redis.call('HSET', g.control, 'hold', reason, 'hold_since', g.now) end
    redis.call('HSET', g.control, 'hold_probe', till)
    close_gate(g, till)
  else
    local since, before = number(g.now), c['hold:' .. scope]
    if before then since = string.match(before, '^%d+') else redis.call('HINCRBY', g.control, 'scopes', 1) end
    redis.call('HSET', g.control, 'hold:' .. scope, since .. ' ' .. number(till) .. ' ' .. reason)
  end
  return till
end
`;
