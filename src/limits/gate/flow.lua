-- How many calls may be under way at once. Every call takes a place in `flights` (sorted set, ids by when their worker must
-- be dead, ms) when it is begun and leaves it when it is closed. The limit starts low, grows by one with each call that
-- goes well while at least half of it is used (so it doubles in the time of a call), as far as twice what the quota needs
-- (its rate times what a call usually takes), and falls when calls take far longer than usual.
-- constants: FEW_CALLS, LEAST_CAP, QUIET_MS, LEARN_EVERY_MS, LEASE_SPARE_MS, TRICKLE_MS, LOOK_AGAIN_MS, LOOK_AGAIN_CAP_MS, ANY_CALLS, WINDOW_MS

-- `limit`; `recent` and `usual`: what a call takes, in ms (0: not known); `at`: when one last went well; `cut_at`: when it fell.
local function flow_of(g, control)
  if g.flow then return g.flow end
  local limit, recent, usual, at, cut = string.match(control.flow or '', '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  local flow = {limit = tonumber(limit) or FEW_CALLS, recent = tonumber(recent) or 0, usual = tonumber(usual) or 0,
    at = tonumber(at) or 0, cut_at = tonumber(cut) or 0}
  if g.now - flow.at > math.max(QUIET_MS, 3 * flow.usual) then flow.limit, flow.recent, flow.usual = FEW_CALLS, 0, 0 end
  g.flow = flow
  return flow
end

local function keep_flow(g, flow)
  redis.call('HSET', g.control_key, 'flow',
    string.format('%d %.1f %.1f %.0f %.0f', flow.limit, flow.recent, flow.usual, flow.at, flow.cut_at))
end

-- Failures that are not outweighed by calls that go well: fewer with each, until the breaker has decided.
local function flow_limit(g, control)
  local limit = flow_of(g, control).limit
  if control.window_at and g.now - control.window_at < WINDOW_MS and (control.good or 0) < 2 * control.bad then
    return math.min(limit, math.max(1, FEW_CALLS - control.bad))
  end
  return limit
end

-- A batch counts once what is under way; what it begins itself is entered when it is over.
local function in_flight(g)
  if not g.flying then
    g.flying = redis.call('ZCARD', g.prefix .. 'flights')
    g.begun = {}
  end
  return g.flying
end

-- Whether one more may be under way. Whoever tries for all may, whatever else is.
local function has_place(g, control, call_ms)
  if control.hold or control.breaker then return true end
  local limit = flow_limit(g, control)
  if in_flight(g) < limit then return true end
  local key = g.prefix .. 'flights'
  if not g.pruned then
    g.pruned = true
    g.flying = g.flying - redis.call('ZREMRANGEBYSCORE', key, '-inf', g.now)
    if g.flying < limit then return true end
    local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
    if #g.begun == 0 and not control.window_at and last and last - call_ms - LEASE_SPARE_MS + TRICKLE_MS <= g.now then
      return true
    end
  end
  return false
end

local function take_place(g, id, call_ms, wait_ms)
  in_flight(g)
  g.begun[#g.begun + 1] = number(g.now + wait_ms + call_ms + LEASE_SPARE_MS)
  g.begun[#g.begun + 1] = id
  g.flying = g.flying + 1
end

-- All places are taken: nobody takes a job until one is left (leave_places), or this time has come.
local function full_until(g, call_ms)
  local oldest = redis.call('ZRANGE', g.prefix .. 'flights', 0, 0, 'WITHSCORES')[2]
  local age = oldest and g.now - (oldest - call_ms - LEASE_SPARE_MS) or 0
  return g.now + math.max(LOOK_AGAIN_MS, math.min(LOOK_AGAIN_CAP_MS, math.floor(age / 2)))
end

-- After a batch of begins.
local function enter_places(g, control, call_ms)
  if g.begun and #g.begun > 0 then redis.call('ZADD', g.prefix .. 'flights', unpack(g.begun)) end
  if not g.full and not (g.flying and g.flying >= flow_limit(g, control)) then return end
  if control.hold or control.breaker then return end
  local at, till = g.full or full_until(g, call_ms), g.closed or 0
  if at > till then
    redis.call('HSET', g.control_key, 'full', number(till))
    close_gate(g, at)
  end
end

-- Its call came late, and is made later: so its place is held for longer.
local function hold_place(g, id, call_ms, wait_ms)
  redis.call('ZADD', g.prefix .. 'flights', 'XX', g.now + wait_ms + call_ms + LEASE_SPARE_MS, id)
end

-- After a batch of ends: `left` are their places. Who waits for one may come.
local function leave_places(g, control, left)
  if #left == 0 then return end
  redis.call('ZREM', g.prefix .. 'flights', unpack(left))
  if g.broken or not control.full then return end
  redis.call('HDEL', g.control_key, 'full')
  if stopped(g, control) then return end
  redis.call('DEL', g.bull .. 'limiter')
  close_gate(g, control.full)
end

-- Twice the calls that the quota needs at once.
local function flow_cap(g, control, usual)
  local window = windows_of(g, control)[1]
  if not window or window.ms == 0 then return ANY_CALLS end
  return math.max(LEAST_CAP, math.ceil(2 * window.max * usual / window.ms))
end

-- A call went well, and took so long (nil: not known).
local function flow_well(g, control, ms)
  local flow = flow_of(g, control)
  local is_due, before = g.now - flow.at >= LEARN_EVERY_MS, flow.limit
  if is_due and ms then
    if flow.usual == 0 then
      flow.recent, flow.usual = ms, ms
    else
      -- One slow call is none: several in a row are.
      local taken = math.min(ms, 4 * flow.usual + 1)
      flow.recent = flow.recent + (taken - flow.recent) / 8
      flow.usual = flow.usual + (taken - flow.usual) / 64
    end
  end
  local slower = flow.usual > 0 and flow.recent / math.max(flow.usual, 5) or 1
  if slower > 2 then
    if g.now - flow.cut_at >= flow.recent and flow.limit > FEW_CALLS then
      flow.limit = math.max(FEW_CALLS, math.floor(flow.limit * math.max(0.5, 2 / slower)))
      flow.cut_at = g.now
    end
  elseif slower < 1.5 then
    local cap = flow_cap(g, control, flow.usual)
    if flow.limit > cap then flow.limit = cap
    elseif flow.limit < cap and 2 * in_flight(g) >= flow.limit then flow.limit = flow.limit + 1 end
  end
  if is_due or flow.limit ~= before then
    flow.at = math.max(flow.at, g.now)
    keep_flow(g, flow)
  end
end

-- An outage: nothing is known of how it goes on afterwards.
local function flow_forget(g)
  g.flow = nil
  redis.call('HDEL', g.control_key, 'flow')
end
