-- When a person may be sent the next OTP. `sent:SUBJECT` is one text, `time id,time id,…`, newest first: when each of
-- the last sends arrives at the latest, and whose it was.

-- When a person may be sent the next OTP (0: now): not within the cooldown, and not more than max in span. A job's own
-- earlier tries do not count against it. And the sends of others, as they are stored.
local function cooldown_free(g, subject, id, person)
  local free, count, others = 0, 0, ''
  for at, by in string.gmatch(redis.call('GET', g.prefix .. 'sent:' .. subject) or '', '(%d+) ([^,]+)') do
    if by ~= id then
      count = count + 1
      local time = tonumber(at)
      if count == 1 and person.cooldown > 0 then free = time + person.cooldown end
      if count == person.most and time + person.span > free then free = time + person.span end
      if count < person.most then others = others .. ',' .. at .. ' ' .. by end
    end
  end
  if free > g.now then return free end
  return 0, others
end

-- From when the call arrives at the latest.
local function remember_send(g, subject, id, at, others, person)
  local kept = math.max(person.span, person.cooldown) + math.max(0, at - g.now)
  redis.call('SET', g.prefix .. 'sent:' .. subject, number(at) .. ' ' .. id .. others, 'PX', number(kept))
end

-- The call arrives later than its first permit allowed: so does the person's next one.
local function postpone_send(g, subject, id, at)
  local key, sends, later = g.prefix .. 'sent:' .. subject, {}, 0
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
  local key, others = g.prefix .. 'sent:' .. subject, {}
  for at, by in string.gmatch(redis.call('GET', key) or '', '(%d+) ([^,]+)') do
    if by ~= id then others[#others + 1] = at .. ' ' .. by end
  end
  if #others == 0 then redis.call('DEL', key) else redis.call('SET', key, table.concat(others, ','), 'KEEPTTL') end
end
