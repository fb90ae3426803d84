-- Rows begin their flow: each gets its onboarding in the very step that says `queued`. KEYS batch
-- → `fenced` | a state in which nothing is taken | for each row `taken` | `no` (it does not wait, or runs another time) | `held JOB` | `conflict`
local key = KEYS[1]
local nothing = takes_nothing(prefix, key, epoch)
if nothing then return nothing end
local answers, deltas = {}, {}

local function take()
  local here, self = tonumber(at), row_job(id, at, run)
  local refused = not_taken(prefix, key, self, at, run, persons, age, shard, person, keep_ms, deltas)
  if refused then return refused end
  local onboarding = prefix .. 'onboarding:' .. self
  local known = known_onboarding(onboarding, digest)
  if known == 'conflict' then return 'conflict' end
  if not known then
    write_onboarding(prefix, onboarding, self, digest, terms, input, step, job, 'b:' .. id .. ':' .. at, now, look_at)
  end
  return taken(key, here, deltas)
end

for i = 1, ROWS do
  row(i)
  answers[i] = take()
end
write_counts(key, deltas)
redis.call('HSET', key, 'state', 'running', 'updated', now)
return answers
