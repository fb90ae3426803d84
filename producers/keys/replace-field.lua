-- KEYS record. → 1, or 0 where the field is not as it was any more
if redis.call('HGET', KEYS[1], field) ~= old then return 0 end
redis.call('HSET', KEYS[1], field, new)
return 1
