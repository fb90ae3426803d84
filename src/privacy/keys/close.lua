-- KEYS current. → how many were current
local ids = {}
for n = 1, ROWS do
  row(n)
  ids[n] = id
end
local count = forget_current(KEYS[1], ids)
redis.call('PUBLISH', channel, 'closed ' .. table.concat(ids, ' '))
return count
