-- Makes nobody seal with these data keys any more. The number of those that were current.
local function forget_current(key, ids)
  local gone = {}
  for _, id in ipairs(ids) do gone[id] = true end
  local all, count = redis.call('HGETALL', key), 0
  for index = 1, #all, 2 do
    if gone[all[index + 1]] then
      redis.call('HDEL', key, all[index])
      count = count + 1
    end
  end
  return count
end
