import { AHEAD_MS, LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "./margins.ts";

/**
 * Lua: one call charged to every window of the quota, or to none. `permits` lists, newest first, until when each of the last
 * calls arrives at the provider: entry n-1 tells when a window of n calls has room again, for every window at once, and
 * exactly as a provider counts whose windows slide.
 */
export const QUOTA_LUA = `
-- The windows as they are used. A lowered share lowers the rate of the shortest: fewer calls in about the same time, not the
-- same in a longer one, which would come at once.
local function windows_of(g, c)
  if g.windows then return g.windows end
  local list, factor, most = {}, c.factor or 1, 1
  for max, ms in string.gmatch(c.quota or '', '(%d+):(%d+)') do
    local w = {name = max .. ':' .. ms, max = tonumber(max), ms = tonumber(ms)}
    if w.max > most then most = w.max end
    if factor < 1 and w.max > 0 then
      local share = w.max * factor
      w.ms = math.ceil(w.ms * math.max(1, math.ceil(share)) / share)
      w.max = math.max(1, math.ceil(share))
      factor = 1
    end
    -- Less than a quarter of it is left when the call this far back is still in it.
    w.quarter = w.max - math.ceil(w.max / 4)
    list[#list + 1] = w
  end
  list.most = most
  g.windows = list
  return list
end

-- Whether so many calls find room for certain, with a quarter of every window to spare.
local function has_room_for(g, c, calls)
  if c.factor then return false end
  for _, w in ipairs(windows_of(g, c)) do
    if w.quarter < calls then return false end
    local near = redis.call('LINDEX', g.P .. 'permits', w.quarter - calls)
    if near and near + w.ms > g.now then return false end
  end
  return true
end

-- When every window has room for one more call (0: now), the window that is full longest, whether less than a quarter of
-- a window is left, when there will be room for a second call, how long a window lasts that only ever has room for one.
local function quota_free(g, c)
  local free, full, scarce, next, single = 0, '', false, 0, 0
  local permits = g.P .. 'permits'
  for _, w in ipairs(windows_of(g, c)) do
    if w.max == 0 then return FOREVER, w.name, true, FOREVER, 0 end
    local near = w.quarter > 0 and redis.call('LINDEX', permits, w.quarter - 1)
    if w.max == 1 or (near and near + w.ms > g.now) then
      scarce = true
      local two = redis.call('LRANGE', permits, math.max(0, w.max - 2), w.max - 1)
      local last = two[2]
      if w.max == 1 then
        last = two[1]
        if w.ms > single then single = w.ms end
      elseif two[1] and two[1] + w.ms > next then
        next = two[1] + w.ms
      end
      if last and last + w.ms > free then free, full = last + w.ms, w.name end
    end
  end
  return free, full, scarce, next, single
end

local function enter(g, c, permits)
  local count, most = redis.call('LPUSH', g.P .. 'permits', unpack(permits)), windows_of(g, c).most
  if count >= most + 100 then redis.call('LTRIM', g.P .. 'permits', 0, most - 1) end
  return count
end

-- A permit: \`ends\` (until when its call arrives), \`scarce\`, \`wait\` (ms from now to its beginning), \`next\` (until when
-- nobody else gets one) and \`count\`, a running number; or nil, when to ask again, and the window that is full.
-- \`g.loose\`: there is room for the whole batch, whose permits are entered together when it is over (enter_loose).
local function take_permit(g, c)
  if g.loose then
    g.loose[#g.loose + 1] = number(g.now + ${LOOSE_MARGIN_MS})
    return {ends = g.now + ${LOOSE_MARGIN_MS}, wait = 0, next = 0}
  end
  local free, full, scarce, next, single = quota_free(g, c)
  if free == FOREVER then return nil, free, full end
  if free > g.now + ${AHEAD_MS} then return nil, free - ${AHEAD_MS}, full end
  local from = math.max(free, g.now)
  local ends = from + ${LOOSE_MARGIN_MS}
  if scarce then
    ends = from + ${QUOTA_MARGIN_MS}
    local head = redis.call('LINDEX', g.P .. 'permits', 0)
    -- The list stays in order: behind a loose permit a scarce one counts as long as that.
    if head and tonumber(head) > ends then ends = tonumber(head) end
    if single > 0 and ends + single > next then next = ends + single end
    next = next - ${AHEAD_MS}
  end
  local count = enter(g, c, {number(ends)})
  return {ends = ends, scarce = scarce, wait = from - g.now, next = next, count = count}
end

local function give_back(g, ends)
  redis.call('LREM', g.P .. 'permits', 1, ends)
end

-- Every so many calls one bulk job goes to the front, so that interactive ones never starve the others. The permits' own
-- count serves, which is cut by hundreds: nothing more is kept for it but a turn that came to nothing.
local function keep_floor(g, c, count, every)
  if count % (every + 1) ~= 0 and not c.floor_owed then return end
  if c.floor_owed then
    redis.call('HDEL', g.control, 'floor_owed')
    changed(g)
  end
  local bulk = redis.call('ZPOPMIN', g.B .. 'prioritized')
  if bulk[1] then redis.call('RPUSH', g.B .. 'wait', bulk[1]) end
end

local function enter_loose(g, c, every)
  if not g.loose or #g.loose == 0 then return end
  local count = enter(g, c, g.loose)
  for i = 0, #g.loose - 1 do keep_floor(g, c, count - i, every) end
end
`;
