-- Rows have come to another state, or to an end, whose results are in `out`, that chunk as it is from now on ('' = unchanged).
-- Records that nobody needs any more (`spent`: their ids) go, when nothing of them is kept sealed; with them, of rows that run a flow,
-- the onboarding. A row may also go back to wait for its next run (`again`). KEYS batch → `fenced` | `gone` | counts
-- constants: RECORD_KEPT_MS, AWAITING
local key = KEYS[1]
if not is_feeder(prefix, epoch) then return 'fenced' end
if redis.call('EXISTS', key) == 0 then return 'gone' end
local deltas = {}
for i = 1, ROWS do
  row(i)
  local here = tonumber(at)
  local before = row_byte(key, here)
  move_row(key, here, before, byte, deltas)
  if before ~= byte then
    count_why(key, before, left, -1, '')
    count_why(key, byte, code, 1, reason)
  end
  for record in string.gmatch(spent, '%S+') do
    local sealed = record_fields(prefix .. 'job:' .. record, 'input', 'personal') or {}
    local due = (sealed[1] or sealed[2]) and redis.call('ZSCORE', prefix .. 'due', record)
    redis.call('PEXPIRE', prefix .. 'job:' .. record, math.max(0, (tonumber(due) or 0) - now) + RECORD_KEPT_MS)
    if not due then redis.call('ZREM', prefix .. 'due', record) end
  end
  if is_flow and spent ~= '' then redis.call('PEXPIRE', prefix .. 'onboarding:' .. self, RECORD_KEPT_MS) end
  if again ~= '' then redis.call('HSET', key .. ':again', at, again) end
  if byte == AWAITING then redis.call('ZADD', key .. ':awaited', deadline, at)
  elseif is_flow then
    redis.call('ZREM', key .. ':awaited', at)
    redis.call('HDEL', key .. ':seats', at)
  end
end
write_counts(key, deltas)
if out ~= '' then redis.call('HSET', key .. ':out', chunk, out) end
redis.call('HSET', key, 'updated', number(now), 'rate', rate)
return counts_of(key)
