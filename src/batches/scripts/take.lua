-- Rows are handed to the queue: each gets its job's record in the very step that says `queued`. KEYS batch
-- → `fenced` | a state in which nothing is taken | for each row `taken` | `no` (it does not wait) | `held BATCH-ROW` | `conflict`
-- constants: WAITING, QUEUED, DUPLICATE, TAKING
local key = KEYS[1]
if not is_feeder(prefix, epoch) then return 'fenced' end
local state = redis.call('HGET', key, 'state') or 'gone'
if not TAKING[state] then return state end
local answers, deltas = {}, {}

local function take()
  local here = tonumber(at)
  if row_byte(key, here) ~= WAITING then return 'no' end
  local self = id .. '-' .. at
  if person ~= '' then
    local holder = holder_of(prefix, persons, age, shard, person, self)
    if holder then
      move_row(key, here, WAITING, DUPLICATE, deltas)
      return 'held ' .. holder
    end
    claim_person(prefix, persons, age, shard, person, self, keep_ms)
  end
  local known = known_record(prefix, bull, self, digest)
  if known == 'conflict' then return 'conflict' end
  if not known then write_record(prefix, self, digest, job, input, now, deadline, subject, entry, 'b:' .. id .. ':' .. at, ticket) end
  move_row(key, here, WAITING, QUEUED, deltas)
  return 'taken'
end

for i = 1, ROWS do
  row(i)
  answers[i] = take()
end
write_counts(key, deltas)
redis.call('HSET', key, 'state', 'running', 'updated', now)
return answers
