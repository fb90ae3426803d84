-- Hands an operator, by `token`, the sender whose code is due first among those whom nobody has. KEYS batch → its row | ''
-- constants: MOST_LOOKED_AT
local key = KEYS[1]
for _, at in ipairs(redis.call('ZRANGE', key .. ':awaited', 0, MOST_LOOKED_AT - 1)) do
  local seat = redis.call('HGET', key .. ':seats', at)
  if not seat or tonumber(string.match(seat, '^%d+')) <= now then
    redis.call('HSET', key .. ':seats', at, till .. ' ' .. token)
    return at
  end
end
return ''
