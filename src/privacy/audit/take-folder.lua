-- KEYS writer. → 1 for whoever has the folder now
local writer = redis.call('GET', KEYS[1])
if writer and writer ~= token then return 0 end
redis.call('SET', KEYS[1], token, 'PX', ms)
return 1
