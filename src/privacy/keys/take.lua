-- Whoever comes second gets the key of the first. A sealer number has 32 bits: a key that handed out all of them gets a
-- successor. KEYS data keys, current, sealers, retired, prints.
-- → `taken`, id, JSON, sealer number | `none` | `retired` | `other`
-- constants: MOST_SEALERS
local current = redis.call('HGET', KEYS[2], scope)
if current == damaged then current = false end
local stored = current and redis.call('HGET', KEYS[1], current)
if stored then
  local sealer = redis.call('HINCRBY', KEYS[3], current, 1)
  if sealer <= MOST_SEALERS then return {'taken', current, stored, tostring(sealer)} end
end
if id == '' then return {'none'} end
if redis.call('HEXISTS', KEYS[4], by) == 1 then return {'retired'} end
if not is_known(KEYS[5], by, print) then return {'other'} end
redis.call('HSET', KEYS[1], id, json)
redis.call('HSET', KEYS[2], scope, id)
redis.call('HSET', KEYS[3], id, 1)
return {'taken', id, json, '1'}
