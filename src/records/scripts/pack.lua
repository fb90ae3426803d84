-- Puts records that nothing changes any more in as few bytes as they need. KEYS records; each has its row. `updated`: of what was
-- packed; `fields`: names and values, each with a NUL after it.
local function pack(key)
  local stored = redis.call('HMGET', key, 'state', 'updated', 'answered')
  -- It is another by now.
  if not TERMINAL[stored[1]] or stored[2] ~= updated then return end
  local flat = {}
  for text in string.gmatch(fields, '(%Z*)%z') do flat[#flat + 1] = text end
  local left = redis.call('PTTL', key)
  -- A hash that was once large stays as large.
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(flat))
  if stored[3] then redis.call('HSET', key, 'answered', stored[3]) end
  if left > 0 then redis.call('PEXPIRE', key, left) end
end

for n, key in ipairs(KEYS) do
  row(n)
  pack(key)
end
