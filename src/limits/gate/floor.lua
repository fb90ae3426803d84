-- Bulk's floor: so that interactive jobs never starve the others, a bulk entry of the queue goes to its front when it is bulk's
-- turn. `floor` holds the turns that bulk is owed (negative: it had more) and how many jobs of the entry that was brought to the
-- front are still to be called; a ticket brings many at once, and each of their calls is a turn.
-- constants: MOST_OWED

-- A bulk job was let through, or (`in_vain`) came to a closed gate, with which its entry goes back.
local function bulk_came(g, in_vain)
  if in_vain then g.bulk_turned_back = true else g.bulk_calls = (g.bulk_calls or 0) + 1 end
end

-- After a batch of begins.
local function keep_floor(g, control)
  if not g.turns and not control.floor then return end
  local owed, moved = string.match(control.floor or '', '^(%-?%d+) (%d+)$')
  owed, moved = (tonumber(owed) or 0) + (g.turns or 0), tonumber(moved) or 0
  local used = math.min(moved, g.bulk_calls or 0)
  owed, moved = math.min(owed - used, MOST_OWED), moved - used
  if g.bulk_turned_back then moved = 0 end
  if owed > 0 and moved == 0 and g.calls then
    local bulk = redis.call('ZPOPMIN', g.bull .. 'prioritized')[1]
    if bulk then
      redis.call('RPUSH', g.bull .. 'wait', bulk)
      moved = tonumber(string.match(bulk, '^t%-(%d+)')) or 1
    else
      owed = 0
    end
  end
  local floor = number(owed) .. ' ' .. number(moved)
  if floor == '0 0' then
    if control.floor then redis.call('HDEL', g.control_key, 'floor') end
  elseif floor ~= control.floor then
    redis.call('HSET', g.control_key, 'floor', floor)
  end
end
