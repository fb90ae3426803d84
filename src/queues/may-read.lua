-- Reads a field that no record has. KEYS record
return redis.call('HGET', KEYS[1], '-')
