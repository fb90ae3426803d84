-- Notes what a worker runs with. A `print` of '' says goodbye; a `worker` of '' only asks. KEYS workers
-- → the others that live: name, print, name, print…
local now = clock()
if print ~= '' then
  redis.call('HSET', KEYS[1], worker, number(now) .. ' ' .. print)
  redis.call('PEXPIRE', KEYS[1], number(forgotten_ms))
elseif worker ~= '' then
  redis.call('HDEL', KEYS[1], worker)
end
local flat, others = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #flat, 2 do
  local at, other = string.match(flat[i + 1], '^(%d+) (.*)$')
  if not at or now - tonumber(at) > forgotten_ms then
    if worker ~= '' then redis.call('HDEL', KEYS[1], flat[i]) end
  elseif flat[i] ~= worker then
    others[#others + 1] = flat[i]
    others[#others + 1] = other
  end
end
return others
