-- Since when a queue is paused and whether that is exact, or ''. It is remembered, because the events go on; where Redis
-- takes no write it is told all the same. KEYS meta, events, seen
-- constants: EVENTS
local seen = redis.call('GET', KEYS[3])
if not redis.call('HGET', KEYS[1], 'paused') then
  if seen then redis.pcall('DEL', KEYS[3]) end
  return ''
end
if seen then return seen end
local since, exact = number(clock()), '0'
local events = redis.pcall('XREVRANGE', KEYS[2], '+', '-', 'COUNT', EVENTS)
for _, event in ipairs(events.err and {} or events) do
  if event[2][1] == 'event' and event[2][2] == 'paused' then
    since, exact = string.match(event[1], '%d+'), '1'
    break
  end
end
redis.pcall('SET', KEYS[3], since .. ' ' .. exact)
return since .. ' ' .. exact
