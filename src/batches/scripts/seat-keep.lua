-- An operator who has a sender keeps it until `till`, or gives it back: then nobody has it (`keeper` is '') until that time. Who lost it
-- meanwhile changes nothing. KEYS batch → `done` | `lost`
local seats = KEYS[1] .. ':seats'
if string.match(redis.call('HGET', seats, at) or '', '^%d+ (.*)$') ~= token then return 'lost' end
redis.call('HSET', seats, at, till .. ' ' .. keeper)
return 'done'
