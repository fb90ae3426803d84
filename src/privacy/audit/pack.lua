-- Takes the oldest lines out of the log and puts them, compressed, in front of what follows. From `floor`, where its caller saw the
-- log begin; `id`, `seq` and `hash`: of the last line that is packed; `next`: the first id that stays in the log. KEYS head, log,
-- packed. → 1, or 0 where somebody else was faster
local head = redis.call('HMGET', KEYS[1], 'floor_seq', 'floor_hash', 'chain', 'packed_seq')
local floor_seq, floor_hash = head[1] or '0', head[2] or head[3]
if floor_seq ~= floor then return 0 end
-- A worker of the version before took away what would have come in between.
if head[4] ~= floor_seq then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[1], 'base_seq', floor_seq, 'base_hash', floor_hash)
end
redis.call('XADD', KEYS[3], id, 'z', lines, 'n', count)
redis.call('HSET', KEYS[1], 'floor_seq', seq, 'floor_hash', hash, 'packed_seq', seq)
redis.call('XTRIM', KEYS[2], 'MINID', '=', next)
return 1
