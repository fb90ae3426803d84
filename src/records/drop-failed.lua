-- KEYS record, index, references…. → 1, or 0 where it is not `failed` any more
local state = redis.pcall('HGET', KEYS[1], 'state')
-- What is no record is dropped as one that failed.
if type(state) == 'table' then
  if not string.find(state.err, 'WRONGTYPE', 1, true) then error(state.err, 0) end
  state = 'failed'
end
if state and state ~= 'failed' then return 0 end
redis.call('ZREM', KEYS[2], id)
table.remove(KEYS, 2)
redis.call('UNLINK', unpack(KEYS))
audit(prefix, entry)
return state and 1 or 0
