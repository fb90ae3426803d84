-- Rows that were handed to the queue are taken back, as far as they were never called: to wait again, or as cancelled. Their entries
-- in the queue find nothing to do. KEYS batch. → `fenced` | `gone` | for each row `done` | `no`
-- constants: WAITING, QUEUED
local key = KEYS[1]
if not is_feeder(prefix, epoch) then return 'fenced' end
if redis.call('EXISTS', key) == 0 then return 'gone' end
local answers, deltas, done = {}, {}, {}

local function revoke()
  local here, own = tonumber(at), row_job(id, at, run)
  local record = prefix .. 'job:' .. own
  local stored = record_fields(record, 'state', 'open', 'attempts', 'job', 'spent')
  -- This very step, sent again because its answer was cut off, took it back before.
  local waits = row_byte(key, here) == WAITING and run_of(key, at) == run
  if not cancels and stored and not stored[1] and waits then return 'done' end
  if not stored or not OPEN_STATES[stored[1]] or stored[1] == 'active' or (stored[2] or '') ~= '' then return 'no' end
  local subject = parse_job(stored[4] or '').subject or ''
  if cancels then
    -- What may have been sent to the person is not called off: how that ended is still to be told.
    if is_in_doubt(stored[5]) then return 'no' end
    redis.call('HSET', record, 'state', 'cancelled', 'reason', reason, 'updated', now)
    redis.call('HDEL', record, 'next', 'cause', 'detail', 'since', 'input')
    schedule_reaper(prefix, own, '')
    settled(prefix, record, 'cancelled', own, now, retention, done, subject)
    return 'done'
  end
  if (tonumber(stored[3]) or 0) > 0 or row_byte(key, here) ~= QUEUED then return 'no' end
  asked(prefix, subject, own, false)
  schedule_reaper(prefix, own, '')
  redis.call('UNLINK', record)
  move_row(key, here, QUEUED, WAITING, deltas)
  return 'done'
end

for i = 1, ROWS do
  row(i)
  answers[i] = revoke()
end
write_counts(key, deltas)
tell(channel, done)
return answers
