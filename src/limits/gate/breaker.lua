-- What a call's end says about the provider.
-- constants: FAILURES_ALONE, FAILURES, OPEN_MS, OPEN_CAP_MS, RAMP_FIRST_GAP_MS, RAMP_LAST_GAP_MS

local function open_breaker(g, ms)
  redis.call('HSET', g.control_key, 'breaker', 'open', 'open_ms', ms, 'probe_at', g.now + ms)
  redis.call('HSETNX', g.control_key, 'open_since', g.now)
  redis.call('HDEL', g.control_key, 'bad', 'good', 'window_at', 'bad_id', 'ramp_at', 'ramp_gap', 'probe')
  flow_forget(g)
  close_gate(g, g.now + ms)
end

local function call_failed(g, control, id)
  if control.breaker == 'open' then
    -- Calls that were under way when it opened say nothing new.
    if control.probe == id then open_breaker(g, math.min(control.open_ms * 2, OPEN_CAP_MS)) end
    return
  end
  if control.breaker == 'ramp' then return open_breaker(g, control.open_ms or OPEN_MS) end
  -- One person's failure is not an outage, however often it is tried again.
  if control.bad_id == id then return end
  local bad, good = 1, 0
  if control.window_at and g.now - control.window_at < WINDOW_MS then
    bad, good = control.bad + 1, control.good or 0
    redis.call('HSET', g.control_key, 'bad', bad, 'bad_id', id)
  else
    redis.call('HSET', g.control_key, 'bad', 1, 'good', 0, 'window_at', g.now, 'bad_id', id)
  end
  if bad >= FAILURES_ALONE and good == 0 then return open_breaker(g, OPEN_MS) end
  if bad >= FAILURES and bad >= good then open_breaker(g, OPEN_MS) end
end

-- The provider is reachable and takes our credentials: what was stopped resumes.
local function call_went_well(g, control, id, scopes, ms)
  flow_well(g, control, ms)
  if g.quota_only then return end
  share_climbs(g, control, ms)
  if control.strikes then redis.call('HDEL', g.control_key, 'strikes') end
  if control.scopes and control.scopes > 0 then
    for scope in string.gmatch(scopes, '%S+') do
      if redis.call('HDEL', g.control_key, 'hold:' .. scope) == 1 and redis.call('HINCRBY', g.control_key, 'scopes', -1) < 1 then
        redis.call('HDEL', g.control_key, 'scopes')
      end
    end
  end
  if control.hold and control.probe == id then
    redis.call('HDEL', g.control_key, 'hold', 'hold_since', 'hold_probe', 'probe')
    redis.call('HSET', g.control_key, 'resumed_at', g.now)
    redis.call('DEL', g.bull .. 'limiter')
  end
  if control.pause_until and control.pause_until < g.now then
    redis.call('HSET', g.control_key, 'resumed_at', math.max(control.resumed_at or 0, control.pause_until))
    redis.call('HDEL', g.control_key, 'pause_until')
  end
  if control.breaker == 'open' then
    if control.probe ~= id then return end
    redis.call('HDEL', g.control_key, 'probe')
    -- A call that fails on the ramp is a new outage: not for as long as the one before had grown.
    redis.call('HSET', g.control_key, 'breaker', 'ramp', 'ramp_gap', RAMP_FIRST_GAP_MS, 'ramp_at', g.now, 'open_ms', OPEN_MS)
    redis.call('DEL', g.bull .. 'limiter')
  elseif control.breaker == 'ramp' then
    local gap = math.ceil(control.ramp_gap / 2)
    if gap < RAMP_LAST_GAP_MS then
      redis.call('HDEL', g.control_key, 'breaker', 'open_since', 'open_ms', 'probe_at', 'ramp_at', 'ramp_gap')
      redis.call('HSET', g.control_key, 'resumed_at', g.now)
      redis.call('DEL', g.bull .. 'limiter')
    else
      redis.call('HSET', g.control_key, 'ramp_gap', gap)
    end
  elseif control.window_at then
    if g.now - control.window_at < WINDOW_MS then redis.call('HINCRBY', g.control_key, 'good', 1)
    else redis.call('HDEL', g.control_key, 'bad', 'good', 'window_at', 'bad_id') end
  end
end
