-- Brings back what this Redis forgot, whoever of the workers comes first; the others add the permits that they know of. All
-- of it may be done any number of times.
-- `how`: `first`, `lost` or `other`; `known`: permits separated by commas, ms. KEYS control, permits, BullMQ's meta
-- → epoch, 1 where this call brought it back
-- constants: PAGE, SHORT_WINDOW_MS, CONFIRM_MS, EVENTS_KEPT
local g = {prefix = prefix, now = clock(), control_key = KEYS[1]}
local there = redis.call('HMGET', KEYS[1], 'epoch', 'quota', 'run', 'lost_at')
local epoch, brought_back = there[1], 0
if not epoch then
  epoch = fresh_epoch
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
if (there[2] or '') == '' then
  redis.call('HSET', KEYS[1], 'quota', configured, 'quota_configured', configured)
  redis.call('HSET', KEYS[3], 'max', pace_max, 'duration', pace_ms, 'opts.maxLenEvents', EVENTS_KEPT)
end
redis.call('HSETNX', KEYS[1], 'quota_configured', configured)
-- Where another worker brought it back before, it says when; one that was just started takes the empty gate for a new one.
if how == 'lost' and (not there[1] or (there[2] or '') == '' or not there[4]) then
  brought_back = 1
  redis.call('HSET', KEYS[1], 'lost_at', number(g.now))
  if by_hand ~= '' then redis.call('HSET', KEYS[1], 'lost_quota', by_hand) end
end
if run ~= '' and run ~= there[3] then
  redis.call('HSET', KEYS[1], 'run', run)
  if how == 'other' then redis.call('HSET', KEYS[1], 'confirm_until', number(g.now + CONFIRM_MS)) end
end

-- Each permit as often as this list or the worker has it, whichever has it more often.
local length, counts, before = redis.call('LLEN', KEYS[2]), {}, {}
for from = 0, length - 1, PAGE do
  for _, permit in ipairs(redis.call('LRANGE', KEYS[2], from, from + PAGE - 1)) do
    before[permit] = (before[permit] or 0) + 1
  end
end
local changes = brought_back == 1
for permit in string.gmatch(known, '%d+') do
  counts[permit] = (counts[permit] or 0) + 1
  if counts[permit] > (before[permit] or 0) then changes = true end
end
if changes then
  for permit, count in pairs(before) do
    if count > (counts[permit] or 0) then counts[permit] = count end
  end
  if brought_back == 1 then
    local full = 0
    for _, window in ipairs(windows_of(g, {quota = redis.call('HGET', KEYS[1], 'quota')})) do
      if window.ms <= SHORT_WINDOW_MS and window.max > full then full = window.max end
    end
    local now = number(g.now)
    if full > 0 then counts[now] = (counts[now] or 0) + full end
  end
  local all = {}
  for permit, count in pairs(counts) do
    for _ = 1, count do all[#all + 1] = permit end
  end
  table.sort(all, function(one, other) return tonumber(one) > tonumber(other) end)
  redis.call('DEL', KEYS[2])
  for from = 1, #all, PAGE do redis.call('RPUSH', KEYS[2], unpack(all, from, math.min(#all, from + PAGE - 1))) end
end
return {epoch, brought_back}
