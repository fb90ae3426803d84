-- Who has proved to have a wrapping key says first which it is. KEYS prints
if redis.call('HEXISTS', KEYS[1], by) == 0 then redis.call('HSET', KEYS[1], by, print) end
