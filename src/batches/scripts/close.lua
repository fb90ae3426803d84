-- Nobody has to look after a batch any more: every row has ended. `to`: the state it ends in. KEYS batch
-- → `fenced` | `gone` | `open` (a row has not ended, or is in a state that only newer versions know) | `done`
-- constants: END_BYTES, OVER_MS
local key = KEYS[1]
if not is_feeder(prefix, epoch) then return 'fenced' end
local found = redis.call('HMGET', key, 'as', 'state', 'rows')
if not found[2] then
  shut_batch(prefix, id)
  redis.call('ZREM', prefix .. 'batch:all', id)
  return 'gone'
end
local ended = 0
for _, byte in ipairs(END_BYTES) do ended = ended + tonumber(redis.call('HGET', key, 'n:' .. byte) or '0') end
if ended < tonumber(found[3] or '0') then return 'open' end
redis.call('HSET', key, 'state', to, 'ended', now, 'updated', now)
shut_batch(prefix, id)
redis.call('ZREMRANGEBYSCORE', prefix .. 'batch:over', '-inf', number(now - OVER_MS))
redis.call('ZADD', prefix .. 'batch:over', now, id)
redis.call('UNLINK', key .. ':in', key .. ':awaited', key .. ':seats')
keep_for(key, retention)
if found[1] then redis.call('PEXPIRE', prefix .. found[1], retention) end
return 'done'
