-- KEYS a key of nobody's. → how Redis keeps a hash with a value of `bytes`
redis.call('HSET', KEYS[1], 'value', string.rep('-', bytes))
local how = redis.pcall('OBJECT', 'ENCODING', KEYS[1])
redis.call('DEL', KEYS[1])
return how
