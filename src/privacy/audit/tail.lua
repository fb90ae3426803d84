-- The last lines, in batches, with the head of the same moment. KEYS head, log. → {{newest batch…}, now, fields…}
local batches, lines, from = {}, 0, '+'
while lines < count do
  local batch = redis.call('XREVRANGE', KEYS[2], from, '-', 'COUNT', 1)[1]
  if not batch then break end
  batches[#batches + 1] = batch
  lines = lines + (tonumber(batch[2][4]) or 1)
  from = '(' .. batch[1]
end
return {batches, number(clock()), unpack(redis.call('HGETALL', KEYS[1]))}
