-- A job that waits for its own backoff is due now; `decision` is a JSON line. What every attempt is asked, it is asked then. KEYS record
-- → `done` | `due` (it is already) | `missing` | `expired` | `other` (it waits for something else, or does not wait)
-- constants: BACKOFF
find_record(KEYS[1])
local stored = redis.call('HMGET', KEYS[1], 'state', 'cause', 'next', 'decisions', 'job')
if not stored[1] then return 'missing' end
if was_decided(stored[4], decision) then return 'done' end
if stored[1] ~= 'waiting' or stored[2] ~= BACKOFF then return 'other' end
local job = parse_job(stored[5] or '')
if job.expires and tonumber(now) >= job.expires then return 'expired' end
if tonumber(now) >= (tonumber(stored[3] or '') or 0) then return 'due' end
redis.call('HSET', KEYS[1], 'next', now, 'updated', now, 'decisions', (stored[4] or '') .. decision .. '\n')
audit(prefix, entry)
return 'done'
