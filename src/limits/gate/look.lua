-- What a worker watches of its gate, in one round trip. KEYS control, permits; `after`: later permits are wanted, ms.
-- → seconds, µs, run id of the server ('' = it does not say), epoch, quota, quota by hand, permits separated by commas, what
-- of control cannot be read ('' = all can)
-- constants: PAGE
local time, found = redis_time(), {}
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local g = open_gate(prefix, '')
local control = read_control(g)
local from = 0
while from >= 0 do
  local some = redis.call('LRANGE', KEYS[2], from, from + PAGE - 1)
  from = #some == PAGE and from + PAGE or -1
  for _, permit in ipairs(some) do
    if tonumber(permit) > after then found[#found + 1] = permit else from = -1 end
  end
end
return {time[1], time[2], run, control.epoch or '', control.quota or '', control.quota_by_hand or '', table.concat(found, ','),
  g.broken or ''}
