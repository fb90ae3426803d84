-- KEYS data keys, retired. → how many need it; 0: it is retired
local count = 0
for _, stored in ipairs(redis.call('HVALS', KEYS[1])) do
  local ok, key = pcall(cjson.decode, stored)
  if ok and key.by == by then count = count + 1 end
end
if count == 0 then redis.call('HSETNX', KEYS[2], by, now) end
return count
