/**
 * Lua: when a person may be sent the next OTP. `sent:SUBJECT` is one text, `time id,time id,…`, newest first: when each of
 * the last sends arrives at the latest, and whose it was.
 */
export const COOLDOWN_LUA = `
-- When a person may be sent the next OTP (0: now): not within the cooldown, and not more than max in span. A job's own
-- earlier tries do not count against it. And the sends of others, as they are stored.
local function cooldown_free(g, subject, id, p)
  local free, count, others = 0, 0, ''
  for at, by in string.gmatch(redis.call('GET', g.P .. 'sent:' .. subject) or '', '(%d+) ([^,]+)') do
    if by ~= id then
      count = count + 1
      local time = tonumber(at)
      if count == 1 and p.cooldown > 0 then free = time + p.cooldown end
      if count == p.most and time + p.span > free then free = time + p.span end
      if count < p.most then others = others .. ',' .. at .. ' ' .. by end
    end
  end
  if free > g.now then return free end
  return 0, others
end

local function remember_send(g, subject, id, at, others, p)
  redis.call('SET', g.P .. 'sent:' .. subject, number(at) .. ' ' .. id .. others, 'PX', math.max(p.span, p.cooldown))
end

-- The call arrives later than its first permit allowed: so does the person's next one.
local function postpone_send(g, subject, id, at)
  local key, sends, later = g.P .. 'sent:' .. subject, {}, 0
  for time, by in string.gmatch(redis.call('GET', key) or '', '(%d+) ([^,]+)') do
    if by == id and at > tonumber(time) then
      later = at - tonumber(time)
      time = number(at)
    end
    sends[#sends + 1] = time .. ' ' .. by
  end
  if later == 0 then return end
  redis.call('SET', key, table.concat(sends, ','), 'PX', math.max(1, redis.call('PTTL', key)) + later)
end

-- The call was not made after all, or sent nothing.
local function forget_send(g, subject, id)
  local key, others = g.P .. 'sent:' .. subject, {}
  for at, by in string.gmatch(redis.call('GET', key) or '', '(%d+) ([^,]+)') do
    if by ~= id then others[#others + 1] = at .. ' ' .. by end
  end
  if #others == 0 then redis.call('DEL', key) else redis.call('SET', key, table.concat(others, ','), 'KEEPTTL') end
end
`;
