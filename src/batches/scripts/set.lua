-- A term of a batch is changed while it runs. KEYS batch → `gone` | its state
local found = redis.call('HGET', KEYS[1], 'state')
if not found then return 'gone' end
redis.call('HSET', KEYS[1], field, value, 'updated', now)
audit(prefix, entry)
return found
