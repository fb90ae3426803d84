-- All rows of a batch are in. KEYS batch. `as`: what it is known by, names of keys. The first of those who submit the same is it.
-- constants: BATCH_OPENED
-- → `done` | `again` (this very step was taken) | `gone` | `there`, the other's id | `conflict`, the other's id
local key = KEYS[1]
local other = redis.call('GET', prefix .. known_as)
local theirs = other and other ~= id and redis.call('HMGET', batch_key(prefix, other), 'state', 'digest')
local found = redis.call('HMGET', key, 'state', 'rows')
-- Sent again, because its answer was cut off, this very step finds that what came in is gone: the other is it.
local is_theirs = theirs and theirs[1] and theirs[1] ~= 'checking'
if not found[1] and is_theirs then return {theirs[2] == digest and 'there' or 'conflict', other} end
if not found[1] then return {'gone'} end
if found[1] ~= 'checking' then return {'again'} end
if redis.call('STRLEN', key .. ':states') ~= rows or redis.call('HLEN', key .. ':columns') ~= chunks then return {'gone'} end
if redis.call('HLEN', key .. ':in') ~= chunks then return {'gone'} end
if is_theirs then
  redis.call('UNLINK', key, key .. ':states', key .. ':in', key .. ':columns', key .. ':out')
  return {theirs[2] == digest and 'there' or 'conflict', other}
end
redis.call('SET', prefix .. known_as, id)
redis.call('HSET', key, 'state', state, 'digest', digest, 'as', known_as, 'updated', now)
keep_for(key, '')
open_batch(prefix, key, id, created)
redis.call('ZADD', prefix .. 'batch:all', created, id)
audit(prefix, entry)
append_to(prefix .. 'parents', id .. ' ' .. BATCH_OPENED .. ' b:' .. id .. ':1')
return {'done'}
