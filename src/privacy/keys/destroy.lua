-- KEYS data keys, current, sealers. → how many there were
local ids = {}
for n = 1, ROWS do
  row(n)
  ids[n] = id
end
forget_current(KEYS[2], ids)
local count = 0
for _, gone in ipairs(ids) do
  count = count + redis.call('HDEL', KEYS[1], gone)
  redis.call('HDEL', KEYS[3], gone)
end
redis.call('PUBLISH', channel, 'destroyed ' .. table.concat(ids, ' '))
return count
