-- A new onboarding, and the news that somebody has to take it on. KEYS onboarding
-- → `created` | `duplicate` | `conflict`
local there = redis.pcall('HGET', KEYS[1], 'digest')
if type(there) == 'table' and there.err then return 'conflict' end
if there then return there == digest and 'duplicate' or 'conflict' end
redis.call('HSET', KEYS[1], 'digest', digest, 'terms', terms, 'input', input, 'state', 'running', 'step', step, 'job', job,
  'updated', now)
if parent ~= '' then
  redis.call('HSET', KEYS[1], 'parent', parent)
else
  -- Those of a batch are listed by their batch.
  redis.call('ZADD', prefix .. 'onboardings', now, id)
end
redis.call('ZADD', prefix .. 'onboardings:due', look_at, id)
append_to(prefix .. 'parents', id .. ' created o:' .. id .. ':' .. step)
return 'created'
