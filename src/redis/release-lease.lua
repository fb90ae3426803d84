-- KEYS lease
if redis.call('GET', KEYS[1]) == holder then redis.call('DEL', KEYS[1]) end
