-- Ends a job that will not be called (BullMQ gave it up, or somebody cancelled what it is a part of). Never overrules a terminal
-- state, nor cancels what is being called. KEYS record
-- → `done` | `settled` | `missing` | `active`
-- constants: IN_DOUBT
local stored, done = found_fields(KEYS[1], 'state', 'job', 'open', 'spent'), {}
if not stored then
  park_no_record(prefix, KEYS[1], id, now, retention, done)
  tell(channel, done)
  return 'done'
end
if not stored[1] then return 'missing' end
if TERMINAL[stored[1]] then return 'settled' end
local open = stored[3] or ''
if state == 'cancelled' and open ~= '' then return 'active' end
-- Its call may have been made: that is for people, or for its worker, which may still bring the truth.
if open ~= '' and open ~= unmade then
  state = 'unknown'
  redis.call('HSET', KEYS[1], 'lost', open)
end
if state ~= 'unknown' and is_in_doubt(stored[4]) then
  state = 'unknown'
  reason = IN_DOUBT .. reason
end
redis.call('HSET', KEYS[1], 'state', state, 'reason', reason, 'updated', now)
redis.call('HDEL', KEYS[1], 'next', 'cause', 'detail', 'since', 'open')
if state == 'unknown' then look_at = look_at_unknown
elseif not keeps_input then redis.call('HDEL', KEYS[1], 'input') end
schedule_reaper(prefix, id, look_at)
tell_parent(prefix, KEYS[1], id, state)
settled(prefix, KEYS[1], state, id, now, retention, done, parse_job(stored[2] or '').subject)
tell(channel, done)
return 'done'
