-- KEYS head, log. → how many were removed
if tonumber(redis.call('HGET', KEYS[1], 'floor_seq') or '0') >= seq then return 0 end
redis.call('HSET', KEYS[1], 'floor_seq', number(seq), 'floor_hash', hash)
return redis.call('XTRIM', KEYS[2], 'MINID', '=', first)
