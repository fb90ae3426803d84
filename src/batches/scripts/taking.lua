-- Handing rows over, whatever they run: each gets what it runs in the very step that says `queued`.
-- constants: WAITING, QUEUED, DUPLICATE, TAKING

-- → `no` (it does not wait, or runs another time) | `held JOB` | `conflict` (its id is something else's) | `taken`
local function take_row(prefix, key, self, at, run, persons, shard, person, deltas, write)
  local here = tonumber(at)
  if row_byte(key, here) ~= WAITING or run_of(key, at) ~= run then return 'no' end
  if person ~= '' then
    local holder = holder_of(prefix, persons.of, persons.age, shard, person, self)
    if holder then
      move_row(key, here, WAITING, DUPLICATE, deltas)
      return 'held ' .. holder
    end
    -- It is this row's own from now on.
    claim_person(prefix, persons.of, persons.age, shard, person, self, persons.keep_ms)
  end
  if not write(self) then return 'conflict' end
  move_row(key, here, WAITING, QUEUED, deltas)
  return 'taken'
end

-- `next_row(n)`: the n-th of `rows`, its number, which time it runs, its person; `write(job)`: what it runs is there; false: something
-- else has that id. `persons`: { of, age, keep_ms } → `fenced` | a state in which nothing is taken | what came of each row
local function take_rows(prefix, key, id, epoch, now, persons, rows, next_row, write)
  if not is_feeder(prefix, epoch) then return 'fenced' end
  local state = redis.call('HGET', key, 'state') or 'gone'
  if not TAKING[state] then return state end
  local answers, deltas = {}, {}
  for i = 1, rows do
    local at, run, shard, person = next_row(i)
    answers[i] = take_row(prefix, key, row_job(id, at, run), at, run, persons, shard, person, deltas, write)
  end
  write_counts(key, deltas)
  redis.call('HSET', key, 'state', 'running', 'updated', now)
  return answers
end
