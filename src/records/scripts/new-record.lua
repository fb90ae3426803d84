-- A job's record, as it enters.
-- constants: JUST_MADE_MS

-- A job with this generated id, or one that is derived from it, cannot have been archived yet.
local function was_just_made(id, now)
  local made = tonumber(string.sub(id, 1, 8), 36)
  return made and math.abs(now - made) <= JUST_MADE_MS
end

-- Whether that id names a job already; also a generated one, because a step may be sent again however late.
-- → nil | `duplicate` (the same one) | `carried` (that, in a ticket that is in the queue) | `conflict`
local function known_record(prefix, bull, id, digest, now)
  local there, may_be_lost = found_fields(prefix .. 'job:' .. id, 'digest', 'ticket')
  if not there or (may_be_lost and not was_just_made(id, now)) then return 'conflict' end
  if there[1] and there[1] ~= digest then return 'conflict' end
  if there[1] then return there[2] and redis.call('EXISTS', bull .. there[2]) == 1 and 'carried' or 'duplicate' end
end

local function write_record(prefix, id, digest, job, input, created, deadline, subject, entry, parent, ticket)
  redis.call('HSET', prefix .. 'job:' .. id, 'digest', digest, 'job', job, 'input', input, 'state', 'queued', 'updated', created)
  if ticket ~= '' then redis.call('HSET', prefix .. 'job:' .. id, 'ticket', ticket) end
  if deadline ~= '' then redis.call('ZADD', prefix .. 'due', deadline, id) end
  if parent ~= '' then redis.call('HSET', prefix .. 'job:' .. id, 'parent', parent) end
  asked(prefix, subject, id, true)
  redis.call('HINCRBY', prefix .. 'submitted', string.match(job, '^%S+ %S+'), 1)
  audit(prefix, entry)
end
