-- KEYS head. → 1, or 0 where it has another key
if redis.call('HGET', KEYS[1], 'key') ~= old then return 0 end
redis.call('HSET', KEYS[1], 'key', new)
return 1
