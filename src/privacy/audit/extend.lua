-- The one step that makes the log longer: only from where its caller saw it end, so that any number may try at once. Each
-- row: of a queue, the last id of its outbox that was taken; `step`: of this sending. KEYS head, log. → `done` | `moved` | `key` | `headless`
local head = redis.call('HMGET', KEYS[1], 'seq', 'hash', 'key', 'step')
-- This very step, sent again because its answer was cut off, made it longer.
if head[4] == step then return 'done' end
if head[3] and head[3] ~= key_id then return 'key' end
if (head[1] or '0') ~= seq or (head[2] or '') ~= hash then return 'moved' end
if not head[1] and redis.call('EXISTS', KEYS[2]) == 1 then return 'headless' end
local last = number(tonumber(seq) + count)
redis.call('XADD', KEYS[2], at .. '-' .. last, 'l', lines, 'n', number(count))
redis.call('HSET', KEYS[1], 'seq', last, 'hash', new_hash, 'key', key_id, 'at', at, 'step', step)
for n = 1, ROWS do
  row(n)
  redis.call('HSET', KEYS[1], 'from:' .. queue, taken)
end
return 'done'
