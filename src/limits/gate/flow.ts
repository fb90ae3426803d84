/** So many calls at once while nothing is known of a provider: fewer than an outage may cost (10). */
export const FEW_CALLS = 6;
/** Where little is needed: room for a burst, and no more than an outage may cost. */
const LEAST_CAP = 8;
/** Silence after which nothing is known any more, in ms; of a slow provider three times what a call usually takes. */
const QUIET_MS = 5_000;
/** So often at most, in ms, is written down that calls go well where that changes nothing. */
const LEARN_EVERY_MS = 50;
/** Longer than a call's timeout by this, in ms, nobody holds a place: its worker died. */
const LEASE_SPARE_MS = 5_000;
/** Where all places are taken and none was for so long, one more call is made: their workers may be dead. In ms. */
const TRICKLE_MS = 5_000;
/** How soon a full gate is looked at again, in ms: half of the time for which the oldest call has been under way. */
const LOOK_AGAIN_MS = 5;
const LOOK_AGAIN_CAP_MS = 500;

/**
 * Lua: how many calls may be under way at once. Every call takes a place in \`flights\` (sorted set, ids by when their worker must
 * be dead, ms) when it is begun and leaves it when it is closed. The limit starts low, grows by one with each call that
 * goes well while at least half of it is used (so it doubles in the time of a call), as far as twice what the quota needs
 * (its rate times what a call usually takes), and falls when calls take far longer than usual.
 */
export const FLOW_LUA = `
-- \`limit\`; \`recent\` and \`usual\`: what a call takes, in ms (0: not known); \`at\`: when one last went well; \`cut_at\`: when it fell.
local function flow_of(g, c)
  if g.flow then return g.flow end
  local limit, recent, usual, at, cut = string.match(c.flow or '', '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  local f = {limit = tonumber(limit) or ${FEW_CALLS}, recent = tonumber(recent) or 0, usual = tonumber(usual) or 0,
    at = tonumber(at) or 0, cut_at = tonumber(cut) or 0}
  if g.now - f.at > math.max(${QUIET_MS}, 3 * f.usual) then f.limit, f.recent, f.usual = ${FEW_CALLS}, 0, 0 end
  g.flow = f
  return f
end

local function keep_flow(g, f)
  redis.call('HSET', g.control, 'flow',
    string.format('%d %.1f %.1f %.0f %.0f', f.limit, f.recent, f.usual, f.at, f.cut_at))
end

-- Failures that are not outweighed by calls that go well: fewer with each, until the breaker has decided.
local function flow_limit(g, c)
  local limit = flow_of(g, c).limit
  if c.window_at and g.now - c.window_at < 10000 and (c.good or 0) < 2 * c.bad then
    return math.min(limit, math.max(1, ${FEW_CALLS} - c.bad))
  end
  return limit
end

-- A batch counts once what is under way; what it begins itself is entered when it is over.
local function in_flight(g)
  if not g.flying then
    g.flying = redis.call('ZCARD', g.P .. 'flights')
    g.begun = {}
  end
  return g.flying
end

-- Whether one more may be under way. Whoever tries for all may, whatever else is.
local function has_place(g, c, callMs)
  if c.hold or c.breaker then return true end
  local limit = flow_limit(g, c)
  if in_flight(g) < limit then return true end
  local key = g.P .. 'flights'
  if not g.pruned then
    g.pruned = true
    g.flying = g.flying - redis.call('ZREMRANGEBYSCORE', key, '-inf', g.now)
    if g.flying < limit then return true end
    local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
    if #g.begun == 0 and not c.window_at and last and last - callMs - ${LEASE_SPARE_MS} + ${TRICKLE_MS} <= g.now then
      return true
    end
  end
  return false
end

local function take_place(g, id, callMs, waitMs)
  in_flight(g)
  g.begun[#g.begun + 1] = number(g.now + waitMs + callMs + ${LEASE_SPARE_MS})
  g.begun[#g.begun + 1] = id
  g.flying = g.flying + 1
end

-- All places are taken: nobody takes a job until one is left (leave_places), or this time has come.
local function full_until(g, callMs)
  local oldest = redis.call('ZRANGE', g.P .. 'flights', 0, 0, 'WITHSCORES')[2]
  local age = oldest and g.now - (oldest - callMs - ${LEASE_SPARE_MS}) or 0
  return g.now + math.max(${LOOK_AGAIN_MS}, math.min(${LOOK_AGAIN_CAP_MS}, math.floor(age / 2)))
end

-- After a batch of begins.
local function enter_places(g, c, callMs)
  if g.begun and #g.begun > 0 then redis.call('ZADD', g.P .. 'flights', unpack(g.begun)) end
  if not g.full and not (g.flying and g.flying >= flow_limit(g, c)) then return end
  if c.hold or c.breaker then return end
  local at, till = g.full or full_until(g, callMs), g.closed or 0
  if at > till then
    redis.call('HSET', g.control, 'full', number(till))
    close_gate(g, at)
  end
end

-- Its call came late, and is made later: so its place is held for longer.
local function hold_place(g, id, callMs, waitMs)
  redis.call('ZADD', g.P .. 'flights', 'XX', g.now + waitMs + callMs + ${LEASE_SPARE_MS}, id)
end

-- After a batch of ends: \`left\` are their places. Who waits for one may come.
local function leave_places(g, c, left)
  if #left == 0 then return end
  redis.call('ZREM', g.P .. 'flights', unpack(left))
  if g.broken or not c.full then return end
  redis.call('HDEL', g.control, 'full')
  if stopped(g, c) then return end
  redis.call('DEL', g.B .. 'limiter')
  close_gate(g, c.full)
end

-- As many as the quota needs at once, twice.
local function flow_cap(g, c, usual)
  local w = windows_of(g, c)[1]
  if not w or w.ms == 0 then return 1000000 end
  return math.max(${LEAST_CAP}, math.ceil(2 * w.max * usual / w.ms))
end

-- A call went well, and took so long (nil: not known).
local function flow_well(g, c, ms)
  local f = flow_of(g, c)
  local isDue, before = g.now - f.at >= ${LEARN_EVERY_MS}, f.limit
  if isDue and ms then
    if f.usual == 0 then
      f.recent, f.usual = ms, ms
    else
      -- One slow call is none: several in a row are.
      local taken = math.min(ms, 4 * f.usual + 1)
      f.recent = f.recent + (taken - f.recent) / 8
      f.usual = f.usual + (taken - f.usual) / 64
    end
  end
  local slower = f.usual > 0 and f.recent / math.max(f.usual, 5) or 1
  if slower > 2 then
    if g.now - f.cut_at >= f.recent and f.limit > ${FEW_CALLS} then
      f.limit = math.max(${FEW_CALLS}, math.floor(f.limit * math.max(0.5, 2 / slower)))
      f.cut_at = g.now
    end
  elseif slower < 1.5 then
    local cap = flow_cap(g, c, f.usual)
    if f.limit > cap then f.limit = cap
    elseif f.limit < cap and 2 * in_flight(g) >= f.limit then f.limit = f.limit + 1 end
  end
  if isDue or f.limit ~= before then
    f.at = math.max(f.at, g.now)
    keep_flow(g, f)
  end
end

-- An outage: nothing is known of how it goes on afterwards.
local function flow_forget(g)
  g.flow = nil
  redis.call('HDEL', g.control, 'flow')
end
`;
