/**
 * How much later than its permit a call may arrive, in ms. A permit is entered with the last moment at which its call may
 * arrive, and one that is not used by then is given up for a fresh one, so that no window is exceeded as the provider
 * counts it.
 */
export const QUOTA_MARGIN_MS = 10;
/** The same while there is room: a new connection, or a busy process, may take longer without costing a second permit. */
export const LOOSE_MARGIN_MS = 100;

/** A lowered share of the quota grows by 2 % after so many calls without a 429: one 429 in some 400 calls at worst. */
const CALLS_BEFORE_RAISE = 100;

/** The breaker opens at so many jobs that failed in 10 s with none that went well, */
const BREAKER_FAILURES_ALONE = 3;
/** or so many that are at least half of the calls. */
const BREAKER_FAILURES = 5;
const BREAKER_WINDOW_MS = 10_000;
/** First wait for a probe; doubles with every failed one, up to a minute. */
const BREAKER_OPEN_MS = 5_000;
const BREAKER_OPEN_CAP_MS = 60_000;
/** First gap between two calls after a probe went well; halves with every call that does, until it is below the last. */
const RAMP_FIRST_GAP_MS = 500;
const RAMP_LAST_GAP_MS = 20;

/**
 * The gate: whether an attempt may start now, decided for all processes together, in the same atomic step that opens it in
 * the journal. These Lua functions stand in front of the records' scripts. All keys carry the queue's hash tag (`P` is
 * `satyapan:{queue}:`, `B` BullMQ's `bull:{queue}:`); the clock is Redis' own, in ms.
 *
 * `control` is one hash per credential:
 * | field | holds |
 * | --- | --- |
 * | `quota` | windows as `max:ms,max:ms`, shortest first |
 * | `factor`, `factor_calls` | share of the shortest window that is used (absent = all), lowered by 429s; calls since it changed |
 * | `strikes`, `strike_at` | 429s in a row, and when the last one came |
 * | `pause_until` | end of the pause after a 429 |
 * | `hold`, `hold_since`, `hold_probe` | why everything is held, since when, and when one job may try |
 * | `scopes`, `hold:SCOPE` | how many are held by themselves, and each `user_code:X`, … as `since probe reason` |
 * | `breaker` | absent = closed, else `open` or `ramp` |
 * | `bad`, `good`, `window_at`, `bad_id` | jobs that failed and calls that went well since `window_at`, and the last such job; absent while all go well |
 * | `open_since`, `open_ms`, `probe_at` | since when it is open, for how long at a time, and when one job may try |
 * | `probe` | id of the job that tries for all: only its call lifts a hold or says how an open breaker goes on |
 * | `ramp_at`, `ramp_gap` | earliest next call of the ramp, and the gap between two, in ms |
 * | `floor_owed` | a bulk job whose turn it was found no permit: the next call lets another to the front |
 *
 * `permits` lists, newest first, until when each of the last calls arrives at the provider: entry n-1 tells when a window
 * of n calls has room again, for every window at once, and exactly as a provider counts whose windows slide. `sent:SUBJECT` lists the last sends to a
 * person as `time id`, newest first.
 */
export const GATE_LUA = `
local FOREVER = 8640000000000000

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- BullMQ's own key of a rate limit, which every worker asks before it fetches: nobody takes a job until then.
local function close_gate(B, now, at)
  if at > now then redis.call('SET', B .. 'limiter', '9007199254740991', 'PX', math.min(math.ceil(at - now), 86400000)) end
end

local CONTROL = {'quota', 'factor', 'factor_calls', 'strikes', 'strike_at', 'pause_until', 'hold', 'hold_probe', 'scopes',
  'breaker', 'bad', 'good', 'window_at', 'open_ms', 'probe_at', 'ramp_at', 'ramp_gap', 'probe', 'bad_id', 'floor_owed'}
-- Never numbers, whatever they look like.
local TEXT = {quota=1, hold=1, probe=1, bad_id=1}
local function read_control(P)
  local values = redis.call('HMGET', P .. 'control', unpack(CONTROL))
  local c = {}
  for i, name in ipairs(CONTROL) do
    if values[i] then c[name] = TEXT[name] and values[i] or tonumber(values[i]) or values[i] end
  end
  return c
end

-- What stops the whole credential now: cause, until when, detail. A turn that is due is only told: take_turn takes it.
local function stopped(c, now)
  if c.hold and now < c.hold_probe then return 'held', c.hold_probe, c.hold end
  if c.pause_until and now < c.pause_until then return 'throttled', c.pause_until, '' end
  if c.breaker == 'open' and now < c.probe_at then return 'breaker', c.probe_at, '' end
  if c.breaker == 'ramp' and now < c.ramp_at then return 'breaker', c.ramp_at, 'ramp' end
end

-- One job tries for all, the others wait for what comes of it: until when.
local function take_turn(P, c, id, now, holdMs, callMs)
  if c.hold then
    redis.call('HSET', P .. 'control', 'hold_probe', now + holdMs, 'probe', id)
    return now + holdMs
  elseif c.breaker == 'open' then
    redis.call('HSET', P .. 'control', 'probe_at', now + callMs, 'probe', id)
    return now + callMs
  elseif c.breaker == 'ramp' then
    redis.call('HSET', P .. 'control', 'ramp_at', now + c.ramp_gap)
    return now + c.ramp_gap
  end
  return 0
end

-- The holds of a job's own scopes (a list of names): until when and why, or those whose turn it is to try.
local function scope_held(P, c, now, scopes)
  local due = {}
  if not c.scopes or c.scopes < 1 then return nil, nil, due end
  for _, scope in ipairs(scopes) do
    local hold = redis.call('HGET', P .. 'control', 'hold:' .. scope)
    if hold then
      local since, probe, reason = string.match(hold, '^(%d+) (%d+) (.*)$')
      if now < tonumber(probe) then return tonumber(probe), reason end
      due[scope] = {since, reason}
    end
  end
  return nil, nil, due
end

local function take_scope_turns(P, due, now, holdMs)
  for scope, hold in pairs(due) do
    redis.call('HSET', P .. 'control', 'hold:' .. scope, hold[1] .. ' ' .. string.format('%.0f', now + holdMs) .. ' ' .. hold[2])
  end
end

-- When a person may be sent the next OTP (0: now): not within the cooldown, and not more than max in span. A job's own
-- earlier tries do not count against it.
local function cooldown_free(P, subject, id, now, cooldown, max, span)
  local free, count = 0, 0
  for _, entry in ipairs(redis.call('LRANGE', P .. 'sent:' .. subject, 0, -1)) do
    local at, by = string.match(entry, '^(%d+) (.*)$')
    at = tonumber(at)
    if by ~= id then
      count = count + 1
      if count == 1 and cooldown > 0 and at + cooldown > free then free = at + cooldown end
      if count == max and at + span > free then free = at + span end
    end
  end
  if free > now then return free end
  return 0
end

local function forget_send(P, subject, id)
  for _, entry in ipairs(redis.call('LRANGE', P .. 'sent:' .. subject, 0, -1)) do
    if string.match(entry, ' (.*)$') == id then redis.call('LREM', P .. 'sent:' .. subject, 1, entry) end
  end
end

local function remember_send(P, subject, id, now, cooldown, max, span)
  forget_send(P, subject, id)
  local key = P .. 'sent:' .. subject
  redis.call('LPUSH', key, string.format('%.0f', now) .. ' ' .. id)
  redis.call('LTRIM', key, 0, max - 1)
  redis.call('PEXPIRE', key, math.max(span, cooldown))
end

-- When every window has room for one more call (0: now), the window that is full longest, whether less than a quarter of
-- a window is left, when there will be room for a second call, how long a window lasts that only ever has room for one,
-- and the largest count. A lowered share lowers the rate of the shortest window: fewer calls in about the same time, not
-- the same in a longer one, which would come at once.
local function quota_free(P, quota, factor, now)
  local free, full, scarce, next, single, most = 0, '', false, 0, 0, 1
  for max, ms in string.gmatch(quota or '', '(%d+):(%d+)') do
    local window = max .. ':' .. ms
    max, ms = tonumber(max), tonumber(ms)
    if max == 0 then return FOREVER, window, true, FOREVER, 0, 1 end
    if max > most then most = max end
    if factor < 1 then
      local share = max * factor
      max = math.max(1, math.ceil(share))
      ms = math.ceil(ms * max / share)
      factor = 1
    end
    local quarter = max - math.ceil(max / 4)
    local near = quarter > 0 and redis.call('LINDEX', P .. 'permits', quarter - 1)
    if max == 1 or (near and near + ms > now) then
      scarce = true
      local two = redis.call('LRANGE', P .. 'permits', math.max(0, max - 2), max - 1)
      local last = two[2]
      if max == 1 then
        last = two[1]
        if ms > single then single = ms end
      elseif two[1] and two[1] + ms > next then
        next = two[1] + ms
      end
      if last and last + ms > free then free, full = last + ms, window end
    end
  end
  return free, full, scarce, next, single, most
end

-- Charges one call to every window, or to none. The permit (until when its call arrives), whether it is scarce, until when
-- nobody else gets one, and a running count; or 0, when to ask again, and the window that is full.
local function take_permit(P, c, now)
  local free, full, scarce, next, single, most = quota_free(P, c.quota, c.factor or 1, now)
  if free > now then return 0, free, full end
  local permit = now + ${LOOSE_MARGIN_MS}
  if scarce then
    permit = now + ${QUOTA_MARGIN_MS}
    local head = redis.call('LINDEX', P .. 'permits', 0)
    -- The list stays in order: behind a loose permit a scarce one counts as long as that.
    if head and tonumber(head) > permit then permit = tonumber(head) end
    if single > 0 and permit + single > next then next = permit + single end
  end
  local count = redis.call('LPUSH', P .. 'permits', string.format('%.0f', permit))
  if count >= most + 100 then redis.call('LTRIM', P .. 'permits', 0, most - 1) end
  if c.factor then
    local calls = redis.call('HINCRBY', P .. 'control', 'factor_calls', 1)
    if calls >= ${CALLS_BEFORE_RAISE} then
      local factor = c.factor * 1.02
      if factor >= 1 then redis.call('HDEL', P .. 'control', 'factor', 'factor_calls')
      else redis.call('HSET', P .. 'control', 'factor', factor, 'factor_calls', 0) end
    end
  end
  return permit, scarce, next, count
end

-- Every so many calls one bulk job goes to the front, so that interactive ones never starve the others. The permits' own
-- count serves, which is cut by hundreds: nothing more is kept for it but a turn that came to nothing.
local function keep_floor(P, B, c, count, every)
  if count % (every + 1) ~= 0 and not c.floor_owed then return end
  if c.floor_owed then redis.call('HDEL', P .. 'control', 'floor_owed') end
  local bulk = redis.call('ZPOPMIN', B .. 'prioritized')
  if bulk[1] then redis.call('RPUSH', B .. 'wait', bulk[1]) end
end

local function open_breaker(P, B, now, ms)
  redis.call('HSET', P .. 'control', 'breaker', 'open', 'open_ms', ms, 'probe_at', now + ms)
  redis.call('HSETNX', P .. 'control', 'open_since', now)
  redis.call('HDEL', P .. 'control', 'bad', 'good', 'window_at', 'bad_id', 'ramp_at', 'ramp_gap', 'probe')
  close_gate(B, now, now + ms)
end

local function call_failed(P, B, c, id, now)
  if c.breaker == 'open' then
    -- Calls that were under way when it opened say nothing new.
    if c.probe == id then open_breaker(P, B, now, math.min(c.open_ms * 2, ${BREAKER_OPEN_CAP_MS})) end
    return
  end
  if c.breaker == 'ramp' then return open_breaker(P, B, now, c.open_ms or ${BREAKER_OPEN_MS}) end
  -- One person's failure is not an outage, however often it is tried again.
  if c.bad_id == id then return end
  local bad, good = 1, 0
  if c.window_at and now - c.window_at < ${BREAKER_WINDOW_MS} then
    bad, good = c.bad + 1, c.good or 0
    redis.call('HSET', P .. 'control', 'bad', bad, 'bad_id', id)
  else
    redis.call('HSET', P .. 'control', 'bad', 1, 'good', 0, 'window_at', now, 'bad_id', id)
  end
  if bad >= ${BREAKER_FAILURES_ALONE} and good == 0 then return open_breaker(P, B, now, ${BREAKER_OPEN_MS}) end
  if bad >= ${BREAKER_FAILURES} and bad >= good then open_breaker(P, B, now, ${BREAKER_OPEN_MS}) end
end

-- The provider is reachable and takes our credentials: what was stopped resumes.
local function call_went_well(P, B, c, id, now, scopes)
  local key = P .. 'control'
  if c.strikes then redis.call('HDEL', key, 'strikes') end
  if c.scopes and c.scopes > 0 then
    for _, scope in ipairs(scopes) do
      if redis.call('HDEL', key, 'hold:' .. scope) == 1 then redis.call('HINCRBY', key, 'scopes', -1) end
    end
  end
  if c.hold and c.probe == id then
    redis.call('HDEL', key, 'hold', 'hold_since', 'hold_probe', 'probe')
    redis.call('DEL', B .. 'limiter')
  end
  if c.breaker == 'open' then
    if c.probe ~= id then return end
    redis.call('HDEL', key, 'probe')
    redis.call('HSET', key, 'breaker', 'ramp', 'ramp_gap', ${RAMP_FIRST_GAP_MS}, 'ramp_at', now)
    redis.call('DEL', B .. 'limiter')
  elseif c.breaker == 'ramp' then
    local gap = math.ceil(c.ramp_gap / 2)
    if gap < ${RAMP_LAST_GAP_MS} then
      redis.call('HDEL', key, 'breaker', 'open_since', 'open_ms', 'probe_at', 'ramp_at', 'ramp_gap')
      redis.call('DEL', B .. 'limiter')
    else
      redis.call('HSET', key, 'ramp_gap', gap)
    end
  elseif c.window_at then
    if now - c.window_at < ${BREAKER_WINDOW_MS} then redis.call('HINCRBY', key, 'good', 1)
    else redis.call('HDEL', key, 'bad', 'good', 'window_at', 'bad_id') end
  end
end

-- A 429: everybody pauses. Those that were under way when it came are the same 429.
local function call_throttled(P, B, c, now, retryAfter)
  if c.pause_until and now < c.pause_until then return c.pause_until end
  local strikes = (c.strikes or 0) + 1
  local pause = retryAfter or math.min(60000, 1000 * 2 ^ (strikes - 1))
  redis.call('HSET', P .. 'control', 'strikes', strikes, 'strike_at', now, 'pause_until', now + pause)
  local since = now - (c.strike_at or 0)
  if since < 20000 or (since < 600000 and c.factor) then
    local factor = math.max(0.05, (c.factor or 1) * (since < 20000 and 0.7 or 0.93))
    redis.call('HSET', P .. 'control', 'factor', factor, 'factor_calls', 0)
  end
  close_gate(B, now, now + pause)
  return now + pause
end

-- Our own side is refused: everything, or only the scope that is.
local function call_refused(P, B, c, now, scope, reason, holdMs)
  local key = P .. 'control'
  if scope == '' then
    if not c.hold then redis.call('HSET', key, 'hold', reason, 'hold_since', now) end
    redis.call('HSET', key, 'hold_probe', now + holdMs)
    close_gate(B, now, now + holdMs)
  else
    local since = string.format('%.0f', now)
    local before = redis.call('HGET', key, 'hold:' .. scope)
    if before then since = string.match(before, '^%d+') else redis.call('HINCRBY', key, 'scopes', 1) end
    redis.call('HSET', key, 'hold:' .. scope, since .. ' ' .. string.format('%.0f', now + holdMs) .. ' ' .. reason)
  end
  return now + holdMs
end
`;
