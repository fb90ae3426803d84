-- A batch goes from one state to another: by a person's command, or by what its rows came to (then `epoch`). KEYS batch
-- → `fenced` | `gone` | `done` | the other state it is in
-- constants: WAITING, CANCELLED
local key = KEYS[1]
if epoch ~= '' and not is_feeder(prefix, epoch) then return 'fenced' end
local found = redis.call('HGET', key, 'state')
if not found then return 'gone' end
if found ~= from then return found end
redis.call('HSET', key, 'state', to, 'reason', reason, 'updated', now)
if to == 'cancelled' then
  local states = redis.call('GET', key .. ':states') or ''
  local cancelled, count = string.gsub(states, WAITING, CANCELLED)
  redis.call('SET', key .. ':states', cancelled)
  write_counts(key, {[WAITING] = -count, [CANCELLED] = count})
end
-- Its limit is counted from here on.
if to == 'running' then
  for i, count in ipairs(counts_of(key)) do redis.call('HSET', key, 'since:' .. ROW_BYTES_ALL[i], count or '0') end
end
audit(prefix, entry)
return 'done'
