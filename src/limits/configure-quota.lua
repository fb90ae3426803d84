-- Puts a worker's own quota in force, unless one was set by hand. KEYS control. → the quota that is in force
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then return configured end
redis.call('HSET', KEYS[1], 'quota_configured', configured)
local quota = redis.call('HGET', KEYS[1], 'quota_by_hand') or configured
redis.call('HSET', KEYS[1], 'quota', quota)
return quota
