-- KEYS control. → the quota of the workers' settings, which is in force again, or ''
local quota = redis.call('HGET', KEYS[1], 'quota_configured') or ''
redis.call('HDEL', KEYS[1], 'quota_by_hand', 'lost_quota')
redis.call('HSET', KEYS[1], 'quota', quota)
return quota
