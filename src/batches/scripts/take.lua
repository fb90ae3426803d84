-- Rows are handed to the queue: each gets its job's record in the very step that says `queued`. KEYS batch
-- → `fenced` | a state in which nothing is taken | for each row `taken` | `no` (it does not wait, or runs another time) | `held JOB` | `conflict`
local key = KEYS[1]
local nothing = takes_nothing(prefix, key, epoch)
if nothing then return nothing end
local answers, deltas = {}, {}

local function take()
  local here, self = tonumber(at), row_job(id, at, run)
  local refused = not_taken(prefix, key, self, at, run, persons, age, shard, person, keep_ms, deltas)
  if refused then return refused end
  local known = known_record(prefix, bull, self, digest)
  if known == 'conflict' then return 'conflict' end
  if not known then write_record(prefix, self, digest, job, input, now, deadline, subject, entry, 'b:' .. id .. ':' .. at, ticket) end
  return taken(key, here, deltas)
end

for i = 1, ROWS do
  row(i)
  answers[i] = take()
end
write_counts(key, deltas)
redis.call('HSET', key, 'state', 'running', 'updated', now)
return answers
