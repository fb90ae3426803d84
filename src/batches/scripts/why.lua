-- Why rows did not succeed: hash `:why`, `n BYTE CODE` → how many, `r BYTE CODE` → in the words of the first of them.
-- constants: TOLD_BYTES, MOST_REASONS

local function count_why(key, byte, code, by, reason)
  if not TOLD_BYTES[byte] or code == '' then return end
  local why, name = key .. ':why', byte .. ' ' .. code
  if by > 0 then
    if redis.call('HLEN', why) >= MOST_REASONS and redis.call('HEXISTS', why, 'n ' .. name) == 0 then name = byte .. ' other' end
    redis.call('HINCRBY', why, 'n ' .. name, 1)
    redis.call('HSETNX', why, 'r ' .. name, reason)
  elseif tonumber(redis.call('HGET', why, 'n ' .. name) or '0') > 1 then redis.call('HINCRBY', why, 'n ' .. name, -1)
  else redis.call('HDEL', why, 'n ' .. name, 'r ' .. name) end
end
