-- What handing rows over has in common, whatever they run.
-- constants: WAITING, QUEUED, DUPLICATE, TAKING

-- Why nothing of the batch is handed over; nil: something is. → `fenced` | a state in which nothing is taken | nil
local function takes_nothing(prefix, key, epoch)
  if not is_feeder(prefix, epoch) then return 'fenced' end
  local state = redis.call('HGET', key, 'state') or 'gone'
  if not TAKING[state] then return state end
end

-- Why this row is not handed over; nil: it is, and its person is its own from now on.
-- → `no` (it does not wait, or runs another time) | `held JOB` | nil
local function not_taken(prefix, key, self, at, run, persons, age, shard, person, keep_ms, deltas)
  local here = tonumber(at)
  if row_byte(key, here) ~= WAITING or run_of(key, at) ~= run then return 'no' end
  if person == '' then return nil end
  local holder = holder_of(prefix, persons, age, shard, person, self)
  if holder then
    move_row(key, here, WAITING, DUPLICATE, deltas)
    return 'held ' .. holder
  end
  claim_person(prefix, persons, age, shard, person, self, keep_ms)
end

local function taken(key, at, deltas)
  move_row(key, at, WAITING, QUEUED, deltas)
  return 'taken'
end
