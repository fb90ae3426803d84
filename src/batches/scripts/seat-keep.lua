-- An operator who has a sender keeps it until `till`, or gives it back: then nobody has it (`keeper` is '') until that time. Who lost it
-- meanwhile changes nothing. `decision`: what it came to, which is counted; '': nothing yet. KEYS batch, its queue's decisions
-- → `done` | `lost`
local seats = KEYS[1] .. ':seats'
if string.match(redis.call('HGET', seats, at) or '', '^%d+ (.*)$') ~= token then return 'lost' end
redis.call('HSET', seats, at, till .. ' ' .. keeper)
if decision ~= '' then redis.call('HINCRBY', KEYS[2], decision, 1) end
return 'done'
