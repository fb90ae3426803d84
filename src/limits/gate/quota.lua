-- One call charged to every window of the quota, or to none. `permits` lists, newest first, until when each of the last
-- calls arrives at the provider: entry n-1 tells when a window of n calls has room again, for every window at once, and
-- exactly as a provider counts whose windows slide.
-- constants: AHEAD_MS, LOOSE_MARGIN_MS, QUOTA_MARGIN_MS, RETURNED_MS

-- The windows as they are used. A lowered share lowers the rate of the shortest: fewer calls in about the same time, not the
-- same in a longer one, which would come at once.
local function windows_of(g, control)
  if g.windows then return g.windows end
  local list, factor, most = {}, control.factor or 1, 1
  for max, ms in string.gmatch(control.quota or '', '(%d+):(%d+)') do
    local window = {name = max .. ':' .. ms, max = tonumber(max), ms = tonumber(ms)}
    if window.max > most then most = window.max end
    if factor < 1 and window.max > 0 then
      local share = window.max * factor
      window.ms = math.ceil(window.ms * math.max(1, math.ceil(share)) / share)
      window.max = math.max(1, math.ceil(share))
      factor = 1
    end
    -- Less than a quarter of it is left when the call this far back is still in it.
    window.quarter = window.max - math.ceil(window.max / 4)
    list[#list + 1] = window
  end
  list.most = most
  g.windows = list
  return list
end

-- Whether all these calls find room for certain, with a quarter of every window to spare.
local function has_room_for(g, control, calls)
  if control.factor then return false end
  for _, window in ipairs(windows_of(g, control)) do
    if window.quarter < calls then return false end
    local near = redis.call('LINDEX', g.prefix .. 'permits', window.quarter - calls)
    if near and near + window.ms > g.now then return false end
  end
  return true
end

-- When every window has room for one more call (0: now), the window that is full longest, whether less than a quarter of
-- a window is left, when there will be room for a second call, how long a window lasts that only ever has room for one.
local function quota_free(g, control)
  local free, full, scarce, next, single = 0, '', false, 0, 0
  local permits = g.prefix .. 'permits'
  for _, window in ipairs(windows_of(g, control)) do
    if window.max == 0 then return FOREVER, window.name, true, FOREVER, 0 end
    local near = window.quarter > 0 and redis.call('LINDEX', permits, window.quarter - 1)
    if window.max == 1 or (near and near + window.ms > g.now) then
      scarce = true
      local two = redis.call('LRANGE', permits, math.max(0, window.max - 2), window.max - 1)
      local last = two[2]
      if window.max == 1 then
        last = two[1]
        if window.ms > single then single = window.ms end
      elseif two[1] and two[1] + window.ms > next then
        next = two[1] + window.ms
      end
      if last and last + window.ms > free then free, full = last + window.ms, window.name end
    end
  end
  return free, full, scarce, next, single
end

local function enter(g, control, permits)
  local count, most = redis.call('LPUSH', g.prefix .. 'permits', unpack(permits)), windows_of(g, control).most
  if count >= most + 100 then redis.call('LTRIM', g.prefix .. 'permits', 0, most - 1) end
  return count
end

-- A permit: `ends` (until when its call arrives), `scarce`, `wait` (ms from now to its beginning), `next` (until when
-- nobody else gets one) and `count`, a running number; or nil, when to ask again, and the window that is full.
-- `g.loose`: there is room for the whole batch, whose permits are entered together when it is over (enter_loose).
local function take_permit(g, control)
  if g.loose then
    g.loose[#g.loose + 1] = number(g.now + LOOSE_MARGIN_MS)
    return {ends = g.now + LOOSE_MARGIN_MS, wait = 0, next = 0}
  end
  local free, full, scarce, next, single = quota_free(g, control)
  if free == FOREVER then return nil, free, full end
  if free > g.now + AHEAD_MS then return nil, free - AHEAD_MS, full end
  local from = math.max(free, g.now)
  local ends = from + LOOSE_MARGIN_MS
  if scarce then
    ends = from + QUOTA_MARGIN_MS
    local head = redis.call('LINDEX', g.prefix .. 'permits', 0)
    -- The list stays in order: behind a loose permit a scarce one counts as long as that.
    if head and tonumber(head) > ends then ends = tonumber(head) end
    if single > 0 and ends + single > next then next = ends + single end
    next = next - AHEAD_MS
  end
  local count = enter(g, control, {number(ends)})
  return {ends = ends, scarce = scarce, wait = from - g.now, next = next, count = count}
end

-- Every so many calls are a turn for bulk. The permits' own count serves, which is cut by hundreds.
local function count_call(g, count, every)
  g.calls = (g.calls or 0) + 1
  if count % (every + 1) == 0 then g.turns = (g.turns or 0) + 1 end
end

-- Once, however often that is asked for, because an answer was cut off: others' permits go by the same name. `by`: whose it is.
local function give_back(g, ends, by)
  local is_first = redis.call('SET', g.prefix .. 'returned:' .. by .. ' ' .. ends, '', 'PX', RETURNED_MS, 'NX')
  if is_first then redis.call('LREM', g.prefix .. 'permits', 1, ends) end
end

local function enter_loose(g, control, every)
  if not g.loose or #g.loose == 0 then return end
  local count = enter(g, control, g.loose)
  for i = 0, #g.loose - 1 do count_call(g, count - i, every) end
end
