-- KEYS control, permits, flights. → now, control's fields, calls under way, their limit, what cannot be read or '',
-- then of each window how many calls are in it, and when it has room (ms)
local g = open_gate(prefix, '')
local control = read_control(g)
local flat = g.broken and {} or redis.call('HGETALL', KEYS[1])
local in_flight_now = redis.call('ZCOUNT', KEYS[3], '(' .. number(g.now), '+inf')
local answer = {number(g.now), flat, in_flight_now, math.min(ANY_CALLS, flow_limit(g, control)), g.broken or ''}
local length = redis.call('LLEN', KEYS[2])
for _, window in ipairs(windows_of(g, control)) do
  local max, ms = string.match(window.name, '(%d+):(%d+)')
  local low, high = 0, math.min(length, tonumber(max))
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', KEYS[2], middle)) > g.now - tonumber(ms) then low = middle + 1 else high = middle end
  end
  local last = window.max > 0 and redis.call('LINDEX', KEYS[2], window.max - 1)
  answer[#answer + 1] = low
  answer[#answer + 1] = window.max == 0 and number(FOREVER) or last and number(last + window.ms) or '0'
end
return answer
