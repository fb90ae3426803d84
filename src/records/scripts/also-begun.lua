-- The jobs in hand, but for `except`, whose attempt this very step opened: a fetch that was sent again brought another one, and
-- nobody has these. KEYS the list of what is in hand. → their ids
local ids = {}
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local id = string.match(entry, '^j%-(.+)$')
  local stored = id and id ~= except and record_fields(prefix .. 'job:' .. id, 'open') or {}
  if string.match(stored[1] or '', '^%d+ (.*)$') == opener then ids[#ids + 1] = id end
end
return ids
