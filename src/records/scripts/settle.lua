-- A person's decision about an `unknown` job; `decision` is a JSON line. KEYS record
-- → `done` | `missing` | `destroyed` (its input is no longer kept) | the state it is in
-- constants: UNCHANGED
find_record(KEYS[1])
local stored = redis.call('HMGET', KEYS[1], 'state', 'decisions', 'input', 'job')
if not stored[1] then return 'missing' end
if was_decided(stored[2], decision) then return 'done' end
if stored[1] ~= 'unknown' then return stored[1] end
if not TERMINAL[state] and not stored[3] then return 'destroyed' end
redis.call('HSET', KEYS[1], 'state', state, 'updated', now, 'decisions', (stored[2] or '') .. decision .. '\n')
redis.call('HDEL', KEYS[1], 'lost', 'reason', 'next', 'cause', 'detail', 'since')
redis.call('ZREM', prefix .. 'unknown', id)
audit(prefix, entry)
if look_at ~= UNCHANGED then schedule_reaper(prefix, id, look_at) end
if not keeps_input then redis.call('HDEL', KEYS[1], 'input') end
tell_parent(prefix, KEYS[1], id, state)
local job = parse_job(stored[4] or '')
if state == 'succeeded' and job.of then close_challenge(prefix, job.of, id) end
if TERMINAL[state] then
  local done = {}
  settled(prefix, KEYS[1], state, id, now, retention, done, job.subject)
  tell(channel, done)
else
  redis.call('PERSIST', KEYS[1])
  asked(prefix, job.subject or '', id, true)
end
return 'done'
