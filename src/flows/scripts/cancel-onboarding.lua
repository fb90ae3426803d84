-- Somebody wants an onboarding to end; whoever looks after it does that. KEYS onboarding
-- → `done` | `missing` | its state, which is an end
-- constants: OVER
local stored = redis.call('HMGET', KEYS[1], 'state', 'step')
if not stored[1] then return 'missing' end
if OVER[stored[1]] then return stored[1] end
redis.call('HSET', KEYS[1], 'cancel', reason)
append_to(prefix .. 'parents', id .. ' cancel o:' .. id .. ':' .. stored[2])
audit(prefix, entry)
return 'done'
