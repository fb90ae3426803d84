-- Bulk's floor: so that interactive jobs never starve the others, a bulk entry of the queue goes to its front when it is bulk's
-- turn. `floor` holds the turns that bulk is owed (negative: it had more), how many jobs of the entry that was brought to the
-- front are still to come (a ticket brings many at once, and each of their calls is a turn), and when it came, or one of them.
-- constants: MOST_OWED, AWAITED_MS

-- A bulk job was looked at, whatever comes of it: many are called no more, or not now.
local function bulk_came(g)
  g.bulk_jobs = (g.bulk_jobs or 0) + 1
end

-- It was let through.
local function bulk_called(g)
  g.bulk_calls = (g.bulk_calls or 0) + 1
end

-- It came to a closed gate, with which its entry goes back.
local function bulk_came_in_vain(g)
  g.bulk_turned_back = true
end

-- A ticket's name tells how many it was made of, its list how many are left.
local function jobs_of(g, entry)
  local size = string.match(entry, '^t%-(%d+)')
  if not size then return 1 end
  local list = redis.pcall('GET', g.prefix .. 'ticket:' .. entry)
  if type(list) ~= 'string' then return tonumber(size) end
  local _, ids = string.gsub(list, ' ', '')
  return ids
end

-- After a batch of begins.
local function keep_floor(g, control)
  if not g.turns and not control.floor then return end
  local owed, moved, seen = string.match(control.floor or '', '^(%-?%d+) (%d+) (%d+)$')
  owed, moved, seen = (tonumber(owed) or 0) + (g.turns or 0), tonumber(moved) or 0, tonumber(seen) or 0
  owed = math.min(owed - math.min(moved, g.bulk_calls or 0), MOST_OWED)
  moved = moved - math.min(moved, g.bulk_jobs or 0)
  if g.bulk_jobs then seen = g.now end
  -- Those that do not come (their entry was lost) are not waited for.
  if g.bulk_turned_back or g.now - seen >= AWAITED_MS then moved = 0 end
  if owed > 0 and moved == 0 and g.calls then
    local bulk = redis.call('ZPOPMIN', g.bull .. 'prioritized')[1]
    if bulk then
      redis.call('RPUSH', g.bull .. 'wait', bulk)
      moved, seen = jobs_of(g, bulk), g.now
    else
      owed = 0
    end
  end
  if owed == 0 and moved == 0 then
    if control.floor then redis.call('HDEL', g.control_key, 'floor') end
    return
  end
  local floor = number(owed) .. ' ' .. number(moved) .. ' ' .. number(moved == 0 and 0 or seen)
  if floor ~= control.floor then redis.call('HSET', g.control_key, 'floor', floor) end
end
