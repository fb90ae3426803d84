-- `judged`: the sends of the person that were looked at before, `,id,id,`.
-- KEYS record, due. → `created` | `duplicate` | `carried` (a duplicate, in a ticket that is in the queue) | `conflict` | `pending ID`
local known = known_record(prefix, bull, id, digest, created)
-- This very step, sent again because its answer was cut off: nothing is ever sealed twice alike.
if known and known ~= 'conflict' and redis.call('HGET', KEYS[1], 'input') == input then return 'created' end
if known then return known end
if reuses and subject ~= '' then
  local pending = pending_send(prefix, subject, operation, judged)
  if pending then return 'pending ' .. pending end
end
write_record(prefix, id, digest, job, input, created, deadline, subject, entry, parent, ticket)
return 'created'
