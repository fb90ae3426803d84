-- Gives a failed job its attempts back; `decision` is a JSON line. KEYS record
-- → `done` | `missing` | `destroyed` (its input is no longer kept) | its state
find_record(KEYS[1])
local stored = redis.call('HMGET', KEYS[1], 'state', 'decisions', 'input', 'job')
if not stored[1] then
  redis.call('ZREM', prefix .. 'failed', id)
  return 'missing'
end
if was_decided(stored[2], decision) then return 'done' end
if stored[1] ~= 'failed' then return stored[1] end
if not stored[3] then return 'destroyed' end
redis.call('HSET', KEYS[1], 'state', 'queued', 'updated', now, 'decisions', (stored[2] or '') .. decision .. '\n')
redis.call('HDEL', KEYS[1], 'spent', 'reason', 'next', 'cause', 'detail', 'since')
redis.call('PERSIST', KEYS[1])
redis.call('ZREM', prefix .. 'failed', id)
audit(prefix, entry)
tell_parent(prefix, KEYS[1], id, 'queued')
local job = parse_job(stored[4])
asked(prefix, job.subject or '', id, true)
schedule_reaper(prefix, id, job.expires or '')
return 'done'
