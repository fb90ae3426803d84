-- An onboarding, as it enters, and the news that somebody has to take it on.

-- Whether something stands under that key already. → nil | `duplicate` (the same one) | `conflict`
local function known_onboarding(key, digest)
  local there = redis.pcall('HGET', key, 'digest')
  if type(there) == 'table' and there.err then return 'conflict' end
  if there then return there == digest and 'duplicate' or 'conflict' end
end

local function write_onboarding(prefix, key, id, digest, terms, input, step, job, parent, now, look_at)
  redis.call('HSET', key, 'digest', digest, 'terms', terms, 'input', input, 'state', 'running', 'step', step, 'job', job,
    'updated', now)
  if parent ~= '' then
    redis.call('HSET', key, 'parent', parent)
  else
    -- Those of a batch are listed by their batch.
    redis.call('ZADD', prefix .. 'onboardings', now, id)
  end
  redis.call('ZADD', prefix .. 'onboardings:due', look_at, id)
  append_to(prefix .. 'parents', id .. ' created o:' .. id .. ':' .. step)
end
