-- An entry of an outbox goes to those that nobody could take. KEYS outbox, broken
-- constants: BROKEN_KEPT
local found = redis.call('XRANGE', KEYS[1], entry, entry)[1]
if not found then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', BROKEN_KEPT, '*', unpack(found[2]))
return redis.call('XDEL', KEYS[1], entry)
