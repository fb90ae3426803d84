-- `judged`: the sends of the person that were looked at before, `,id,id,`.
-- KEYS record, due. → `created` | `duplicate` | `carried` (a duplicate, in a ticket that is in the queue) | `conflict` | `pending ID`
local there = record_fields(KEYS[1], 'digest', 'ticket')
if not there then return 'conflict' end
if there[1] and there[1] ~= digest then return 'conflict' end
if there[1] then return there[2] and redis.call('EXISTS', bull .. there[2]) == 1 and 'carried' or 'duplicate' end
if reuses and subject ~= '' then
  local pending = pending_send(prefix, subject, operation, judged)
  if pending then return 'pending ' .. pending end
end
redis.call('HSET', KEYS[1], 'digest', digest, 'job', job, 'input', input, 'state', 'queued', 'updated', created)
if ticket ~= '' then redis.call('HSET', KEYS[1], 'ticket', ticket) end
if deadline ~= '' then redis.call('ZADD', KEYS[2], deadline, id) end
if parent ~= '' then redis.call('HSET', KEYS[1], 'parent', parent) end
asked(prefix, subject, id, true)
redis.call('HINCRBY', prefix .. 'submitted', string.match(job, '^%S+ %S+'), 1)
audit(prefix, entry)
return 'created'
