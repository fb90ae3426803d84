-- KEYS head. → {now, fields…}
redis.call('HSETNX', KEYS[1], 'chain', fresh)
return {number(clock()), unpack(redis.call('HGETALL', KEYS[1]))}
