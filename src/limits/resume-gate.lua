-- KEYS control, limiter. → 1, or 0 where nothing was stopped
-- constants: SHARE_FIELDS
local g = open_gate(prefix, '')
read_control(g)
if g.broken and scope == '' then
  if g.broken == 'control' then redis.call('DEL', KEYS[1]) else redis.call('HDEL', KEYS[1], unpack(g.names)) end
end
if scope ~= '' then
  if redis.call('HDEL', KEYS[1], 'hold:' .. scope) == 0 then return 0 end
  if redis.call('HINCRBY', KEYS[1], 'scopes', -1) < 1 then redis.call('HDEL', KEYS[1], 'scopes') end
  return 1
end
local lifted = redis.call('HDEL', KEYS[1], 'hold', 'breaker', 'pause_until', 'factor')
redis.call('HDEL', KEYS[1], 'hold_since', 'hold_probe', 'probe', 'open_since', 'open_ms', 'probe_at', 'ramp_at', 'ramp_gap',
  'strikes', 'strike_at', unpack(SHARE_FIELDS))
redis.call('DEL', KEYS[2])
if lifted > 0 then redis.call('HSET', KEYS[1], 'resumed_at', number(g.now)) end
return (lifted > 0 or g.broken) and 1 or 0
