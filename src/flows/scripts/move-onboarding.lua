-- An onboarding moves on, if nobody else moved it meanwhile: `from` is where it was seen, `STATE STEP JOB`; and, where
-- `checks_verify`, if no other code was given meanwhile: `verify` is the one that was begun last. Of no batch, one that gets through
-- has its person, whoever had that before. `move`: of this sending. KEYS onboarding
-- → `done` | `moved` | `missing`
local stored = redis.call('HMGET', KEYS[1], 'state', 'step', 'job', 'parent', 'move')
if not stored[1] then return 'missing' end
-- This very step, sent again because its answer was cut off, moved it.
if stored[5] == move then return 'done' end
if stored[1] .. ' ' .. stored[2] .. ' ' .. stored[3] ~= from then return 'moved' end
if checks_verify then
  local codes = redis.pcall('HGET', prefix .. 'job:' .. stored[3], 'codes')
  if type(codes) == 'string' and string.match(codes, '(%S+) %d+$') ~= verify then return 'moved' end
end
redis.call('HSET', KEYS[1], 'state', state, 'step', step, 'job', job, 'done', done, 'updated', now, 'move', move)
if reason == '' then redis.call('HDEL', KEYS[1], 'reason') else redis.call('HSET', KEYS[1], 'reason', reason) end
if result ~= '' then redis.call('HSET', KEYS[1], 'result', result) end
if look_at == '' then redis.call('ZREM', prefix .. 'onboardings:due', id)
else redis.call('ZADD', prefix .. 'onboardings:due', look_at, id) end
if is_over then redis.call('PEXPIRE', KEYS[1], retention) else redis.call('PERSIST', KEYS[1]) end
if not keeps_input then redis.call('HDEL', KEYS[1], 'input') end
if not stored[4] and state == 'succeeded' and person ~= '' then
  claim_for_onboarding(prefix, persons, age, shard, person, id, keep_ms)
end
if stored[4] and stored[1] ~= state then append_to(prefix .. 'parents', id .. ' ' .. state .. ' ' .. stored[4]) end
audit(prefix, entry)
if stored[1] ~= state then redis.call('PUBLISH', channel, id) end
return 'done'
