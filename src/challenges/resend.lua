-- Whether another OTP is sent in place of this one. `not_before`: the end of the cooldown, ms. KEYS send's record
-- → {`go`} | {`same`, send} | {`busy`, verify} | {`answered`} | {`state`, state} | {`early`} | {`missing`}
-- constants: OPEN, BEGUN_MS
find_record(KEYS[1])
local stored = redis.call('HMGET', KEYS[1], 'state', 'answered', 'codes', 'replaced')
if not stored[1] then return {'missing'} end
if stored[4] then return {'same', stored[4]} end
if stored[2] then return {'answered'} end
if stored[1] ~= 'succeeded' then return {'state', stored[1]} end
if tonumber(now) < tonumber(not_before) then return {'early'} end
local last, at = string.match(stored[3] or '', '(%S+) (%d+)$')
if last then
  local state = redis.call('HGET', prefix .. 'job:' .. last, 'state')
  if OPEN[state] or (not state and tonumber(now) - tonumber(at) < BEGUN_MS) then return {'busy', last} end
end
redis.call('HSET', KEYS[1], 'replaced', next_send)
return {'go'}
