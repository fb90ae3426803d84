-- KEYS record. → 1, or 0 where the field is not as it was any more
local found = redis.call('HGET', KEYS[1], field)
-- This very step, sent again because its answer was cut off: nothing is ever sealed twice alike.
if found == new then return 1 end
if found ~= old then return 0 end
redis.call('HSET', KEYS[1], field, new)
return 1
