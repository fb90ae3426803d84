-- KEYS lease. → 0: it is the holder's from now on; else the time for which it is still another's, in ms
local other = redis.call('GET', KEYS[1])
if other and other ~= holder then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], holder, 'PX', ms)
return 0
