-- The age of the oldest job in line, in ms; '' with none. KEYS wait, prioritized
-- `wait` is taken from its tail: first verifies and what was put back, in no order of age, then the others, oldest first.
-- Behind the places that are looked at one by one, farther and farther ones are tried, so that of a longer heap of
-- verifies the oldest job behind it is not missed by much.
-- constants: LOOKED_AT, PRIORITIES, PRIORITY_SCALE, GATE_CAUSES
local now = clock()
local oldest

-- A wait that was the job's own (cooldown, backoff) and is over: it could run only since then. One for the gate goes on.
local function look(id)
  local since = tonumber(redis.call('HGET', bull .. id, 'timestamp'))
  local record = redis.pcall('HMGET', prefix .. 'job:' .. string.sub(id, 3), 'next', 'cause')
  local own = tonumber(record[1])
  if own and not GATE_CAUSES[record[2]] and own <= now then since = math.max(since or own, own) end
  if since and (not oldest or since < oldest) then oldest = since end
end

local function look_at(ids)
  for _, id in ipairs(ids) do look(id) end
end

look_at(redis.call('LRANGE', KEYS[1], -LOOKED_AT, -1))
local length, depth = redis.call('LLEN', KEYS[1]), 2 * LOOKED_AT
while depth < length do
  look(redis.call('LINDEX', KEYS[1], -depth))
  depth = depth * 2
end
if length > LOOKED_AT then look(redis.call('LINDEX', KEYS[1], 0)) end
for _, priority in ipairs(PRIORITIES) do
  local first, last = number(priority * PRIORITY_SCALE), '(' .. number((priority + 1) * PRIORITY_SCALE)
  look_at(redis.call('ZRANGEBYSCORE', KEYS[2], first, first, 'LIMIT', 0, LOOKED_AT))
  look_at(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. first, last, 'LIMIT', 0, 1))
end
return oldest and number(math.max(0, now - oldest)) or ''
