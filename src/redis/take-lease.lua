-- KEYS lease. → 0: it is the holder's now, for so long; else how long it is another's yet, in ms
local other = redis.call('GET', KEYS[1])
if other and other ~= holder then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], holder, 'PX', ms)
return 0
