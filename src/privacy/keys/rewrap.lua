-- KEYS data keys, retired, prints. → `done` | `changed` | `retired` | `other`
local stored = redis.call('HGET', KEYS[1], id)
local ok, key = pcall(cjson.decode, stored or '')
if not ok or key.wrapped ~= before then return 'changed' end
if redis.call('HEXISTS', KEYS[2], by) == 1 then return 'retired' end
if not is_known(KEYS[3], by, print) then return 'other' end
key.wrapped = wrapped
key.by = by
redis.call('HSET', KEYS[1], id, cjson.encode(key))
return 'done'
