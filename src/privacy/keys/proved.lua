-- Keeps which wrapping key it is that somebody has proved to have; the first print stays. KEYS prints
if redis.call('HEXISTS', KEYS[1], by) == 0 then redis.call('HSET', KEYS[1], by, print) end
