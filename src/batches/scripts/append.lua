-- The states of the next rows of a batch that comes in; `offset`: how many it has before them. The same step again changes nothing.
-- KEYS batch; each row is one that waits and is about a person.
-- constants: DUPLICATE
-- → `gone` | for each row who has its person, or ''
local key = KEYS[1]
if redis.call('HGET', key, 'state') ~= 'checking' then return 'gone' end
local deltas = {}
if redis.call('STRLEN', key .. ':states') == offset then
  redis.call('APPEND', key .. ':states', bytes)
  for byte in string.gmatch(bytes, '.') do deltas[byte] = (deltas[byte] or 0) + 1 end
end
local holders = {}
for i = 1, ROWS do
  row(i)
  local self = id .. '-' .. at
  holders[i] = holder_of(prefix, persons, age, shard, person, self) or ''
  if holders[i] == '' then claim_person(prefix, persons, age, shard, person, self, keep_ms)
  else move_row(key, tonumber(at), row_byte(key, tonumber(at)), DUPLICATE, deltas) end
end
write_counts(key, deltas)
redis.call('HSET', key, 'rows', offset + #bytes)
keep_for(key, checking_ms)
return holders
