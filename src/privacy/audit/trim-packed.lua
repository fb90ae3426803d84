-- KEYS head, packed. `first`: the id that stays; `seq` and `hash`: of the entry before it. → how many blocks were removed
if tonumber(redis.call('HGET', KEYS[1], 'base_seq') or '0') >= seq then return 0 end
redis.call('HSET', KEYS[1], 'base_seq', number(seq), 'base_hash', hash)
return redis.call('XTRIM', KEYS[2], 'MINID', '=', first)
