/** The breaker opens at so many jobs that failed in 10 s with none that went well, */
const FAILURES_ALONE = 3;
/** or so many that are at least half of the calls. */
const FAILURES = 5;
const WINDOW_MS = 10_000;
/** First wait for a probe; doubles with every failed one, up to a minute. */
const OPEN_MS = 5_000;
const OPEN_CAP_MS = 60_000;
/** First gap between two calls after a probe went well; halves with every call that does, until it is below the last. */
const RAMP_FIRST_GAP_MS = 500;
const RAMP_LAST_GAP_MS = 20;

/** Lua: what a call's end says about the provider. */
export const BREAKER_LUA = `
local function open_breaker(g, ms)
  redis.call('HSET', g.control, 'breaker', 'open', 'open_ms', ms, 'probe_at', g.now + ms)
  redis.call('HSETNX', g.control, 'open_since', g.now)
  redis.call('HDEL', g.control, 'bad', 'good', 'window_at', 'bad_id', 'ramp_at', 'ramp_gap', 'probe')
  flow_forget(g)
  close_gate(g, g.now + ms)
end

local function call_failed(g, c, id)
  if c.breaker == 'open' then
    -- Calls that were under way when it opened say nothing new.
    if c.probe == id then open_breaker(g, math.min(c.open_ms * 2, ${OPEN_CAP_MS})) end
    return
  end
  if c.breaker == 'ramp' then return open_breaker(g, c.open_ms or ${OPEN_MS}) end
  -- One person's failure is not an outage, however often it is tried again.
  if c.bad_id == id then return end
  local bad, good = 1, 0
  if c.window_at and g.now - c.window_at < ${WINDOW_MS} then
    bad, good = c.bad + 1, c.good or 0
    redis.call('HSET', g.control, 'bad', bad, 'bad_id', id)
  else
    redis.call('HSET', g.control, 'bad', 1, 'good', 0, 'window_at', g.now, 'bad_id', id)
  end
  if bad >= ${FAILURES_ALONE} and good == 0 then return open_breaker(g, ${OPEN_MS}) end
  if bad >= ${FAILURES} and bad >= good then open_breaker(g, ${OPEN_MS}) end
end

-- The provider is reachable and takes our credentials: what was stopped resumes.
local function call_went_well(g, c, id, scopes, ms)
  flow_well(g, c, ms)
  if g.calm then return end
  share_climbs(g, c, ms)
  if c.strikes then redis.call('HDEL', g.control, 'strikes') end
  if c.scopes and c.scopes > 0 then
    for scope in string.gmatch(scopes, '%S+') do
      if redis.call('HDEL', g.control, 'hold:' .. scope) == 1 and redis.call('HINCRBY', g.control, 'scopes', -1) < 1 then
        redis.call('HDEL', g.control, 'scopes')
      end
    end
  end
  if c.hold and c.probe == id then
    redis.call('HDEL', g.control, 'hold', 'hold_since', 'hold_probe', 'probe')
    redis.call('DEL', g.B .. 'limiter')
  end
  if c.pause_until and c.pause_until < g.now then redis.call('HDEL', g.control, 'pause_until') end
  if c.breaker == 'open' then
    if c.probe ~= id then return end
    redis.call('HDEL', g.control, 'probe')
    -- A call that fails on the ramp is a new outage: not for as long as the one before had grown.
    redis.call('HSET', g.control, 'breaker', 'ramp', 'ramp_gap', ${RAMP_FIRST_GAP_MS}, 'ramp_at', g.now, 'open_ms', ${OPEN_MS})
    redis.call('DEL', g.B .. 'limiter')
  elseif c.breaker == 'ramp' then
    local gap = math.ceil(c.ramp_gap / 2)
    if gap < ${RAMP_LAST_GAP_MS} then
      redis.call('HDEL', g.control, 'breaker', 'open_since', 'open_ms', 'probe_at', 'ramp_at', 'ramp_gap')
      redis.call('DEL', g.B .. 'limiter')
    else
      redis.call('HSET', g.control, 'ramp_gap', gap)
    end
  elseif c.window_at then
    if g.now - c.window_at < ${WINDOW_MS} then redis.call('HINCRBY', g.control, 'good', 1)
    else redis.call('HDEL', g.control, 'bad', 'good', 'window_at', 'bad_id') end
  end
end
`;
