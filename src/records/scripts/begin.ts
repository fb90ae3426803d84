import { GATE_LUA } from "../../limits/gate/gate.ts";
import { LuaScript } from "../../redis/script.ts";
import { RECORD_LUA } from "./common.ts";

/** Arguments of each job. */
const BEGIN_ARGS = 3;

/**
 * The journal's first half, before a request is written: opens the next attempt of each job, if the gate lets it through.
 * KEYS records; ARGV P, B, channel, retention ms, hold ms, call ms, cooldown ms, cooldown max, cooldown span ms, floor (after
 * so many calls the next is for a bulk job), stamp of the opener, the worker's epoch or ''; then of each job: id, now, fresh ref.
 * → for each {`missing`} | {`no-record`} | {`broken`, fields, open} | {`settled`, state} | {`expired`, job} | {`early`, until} | {`blocked`, cause, until, detail}
 * | {`forgotten`} | {`open`, open, attempt JSON, job, input, spent}
 * | {`run`, open, ref, job, input, spent, due, scarce, ends, wait, `probe` (it tries for all) or ''}
 * | {`fault`, message}
 */
export const BEGIN = new LuaScript(`${GATE_LUA}${RECORD_LUA}
local P, B, channel, retention = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local holdMs, callMs, every, stamp = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[10]), ARGV[11]
local epoch = ARGV[12]
local person = {cooldown = tonumber(ARGV[7]), most = tonumber(ARGV[8]), span = tonumber(ARGV[9])}
local FIRST = 12
local g, done = open_gate(P, B), {}

-- A generated id takes two more characters for the number of the attempt; its last four make room past 1,295 attempts.
local DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
local function base36(n, width)
  local text = ''
  for _ = 1, width do
    local digit = n % 36
    text = string.sub(DIGITS, digit + 1, digit + 1) .. text
    n = (n - digit) / 36
  end
  return text
end

local function reference(job, id, n, fresh)
  if job.ref == '+' then
    if n < 1296 then return id .. base36(n, 2) end
    return string.sub(id, 1, 14) .. base36(n, 6)
  end
  if job.ref ~= '~' then return job.ref end
  redis.call('SET', P .. 'ref:' .. fresh, id, 'PX', retention)
  return fresh
end

local function blocked(key, nowText, before, why, at, detail)
  if why ~= before then redis.call('HSET', key, 'since', nowText) end
  redis.call('HSET', key, 'state', 'waiting', 'cause', why, 'detail', detail or '', 'next', number(at), 'updated', nowText)
  redis.call('HDEL', key, 'reason')
  return {'blocked', why, number(at), detail or ''}
end

local function begin(key, id, nowText, fresh)
  local now = tonumber(nowText)
  local r = record_fields(key, 'state', 'job', 'input', 'attempts', 'open', 'next', 'cause', 'spent', 'lost')
  if not r then return {'no-record'} end
  local state, text, cause = r[1], r[2], r[7]
  if not state then return {'missing'} end
  -- This very step, sent again; meanwhile somebody took its attempt for lost. Its opener knows better.
  if r[9] and string.match(r[9], '^%d+ (.*)$') == stamp .. nowText then
    local attempt = redis.call('HGET', key, 'attempt:' .. string.match(r[9], '^%d+'))
    return {'open', r[9], attempt, text, r[3] or '', r[8] or ''}
  end
  if TERMINAL[state] then return {'settled', state} end
  local job = parse_job(text or '')
  local count = tonumber(r[4] or 0)
  local broken = broken_fields(job, state, count, r[6])
  if broken then return {'broken', broken, r[5] or ''} end
  if r[5] and r[5] ~= '' then
    local attempt = redis.call('HGET', key, 'attempt:' .. count)
    if r[5] ~= count .. ' ' .. stamp .. nowText then return {'open', r[5], attempt, text, r[3], r[8] or ''} end
    -- This very step, sent again because its answer was cut off: its attempt is open, and its permit is old.
    local ref = string.match(attempt, '"client_ref_id":"([^"]+)"')
    return {'run', r[5], ref, text, r[3], r[8] or '', r[6] or job.created, 'scarce', '', '0', ''}
  end
  if job.expires and now >= job.expires then
    expire(P, key, id, nowText, retention, done, job.subject)
    return {'expired', text}
  end
  if r[6] and now < tonumber(r[6]) and not (cause and (GATE[cause] or cause == 'scope')) then return {'early', r[6]} end

  local c = read_control(g)
  if g.broken then
    close_gate(g, g.now + 1000)
    return blocked(key, nowText, cause, 'held', g.now + 1000, 'what the gate knows cannot be read (' .. g.broken .. ')')
  end
  if has_forgotten(c, epoch) then return {'forgotten'} end
  local due = {}
  if not g.calm then
    local why, at, detail = stopped(g, c)
    if why then
      close_gate(g, at)
      return blocked(key, nowText, cause, why, at, detail)
    end
    at, detail, due = scope_held(g, c, job.scopes)
    if at then return blocked(key, nowText, cause, 'scope', at, detail) end
  end
  if not has_place(g, c, callMs) then
    g.full = g.full or full_until(g, callMs)
    return blocked(key, nowText, cause, 'busy', g.full, number(flow_limit(g, c)))
  end
  local others
  if job.subject ~= '~' then
    local at
    at, others = cooldown_free(g, job.subject, id, person)
    if at > 0 then return blocked(key, nowText, cause, 'cooldown', at) end
  end
  local permit, at, full = take_permit(g, c)
  if not permit then
    close_gate(g, at)
    -- Its turn at the front was in vain: it gets the next one.
    if job.lane == 'bulk' then
      redis.call('HSET', g.control, 'floor_owed', 1)
      changed(g)
    end
    return blocked(key, nowText, cause, 'quota', at, full)
  end
  take_place(g, id, callMs, permit.wait)
  -- Until when its call arrives at the latest: the person's next one keeps its distance from that.
  if others then remember_send(g, job.subject, id, permit.ends, others, person) end
  local till, probe = permit.next, ''
  if not g.calm then
    if c.hold or c.breaker == 'open' then probe = 'probe' end
    take_scope_turns(g, due, holdMs)
    till = math.max(till, take_turn(g, c, id, holdMs, callMs))
  end
  close_gate(g, till)
  if permit.count then keep_floor(g, c, permit.count, every) end

  local n = count + 1
  local ref, open = reference(job, id, n, fresh), n .. ' ' .. stamp .. nowText
  redis.call('HSET', key, 'attempts', tostring(n), 'open', open, 'state', 'active', 'updated', nowText,
    'attempt:' .. n, '{"client_ref_id":"' .. ref .. '","started":' .. nowText .. '}')
  if r[6] or state == 'waiting' then redis.call('HDEL', key, 'next', 'reason', 'cause', 'detail', 'since', 'lost') end
  return {'run', open, ref, text, r[3], r[8] or '', r[6] or job.created, permit.scarce and 'scarce' or '',
    number(permit.ends), number(permit.wait), probe}
end

local c = read_control(g)
if g.calm and has_room_for(g, c, #KEYS) then g.loose = {} end
local answers = {}
for i, key in ipairs(KEYS) do
  local at = FIRST + (i - 1) * ${BEGIN_ARGS}
  answers[i] = attempted(begin, key, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
c = read_control(g)
enter_loose(g, c, every)
enter_places(g, c, callMs)
tell(channel, done)
return answers
`);

/** A permit whose call is not made after all. ARGV P, B, the permit. */
export const GIVE_BACK = new LuaScript(`${GATE_LUA}
give_back(open_gate(ARGV[1], ARGV[2]), ARGV[3])
`);

/**
 * A fresh permit for an attempt whose first one grew old before its request could be written.
 * Nothing was written with the first one, so it is taken back.
 * KEYS control, record; ARGV P, B, the old permit or '', id, subject or '', open, call ms, the worker's epoch or ''.
 * → {0, permit, scarce, wait}, {in how many ms to ask again}, {-1}: the attempt is not open any more, or {-2}: Redis has
 * forgotten the gate
 */
export const PERMIT = new LuaScript(`${GATE_LUA}
local g = open_gate(ARGV[1], ARGV[2])
local c = read_control(g)
if g.broken then return {1000} end
if has_forgotten(c, ARGV[8]) then return {-2} end
if ARGV[3] ~= '' then give_back(g, ARGV[3]) end
if redis.call('HGET', KEYS[2], 'open') ~= ARGV[6] then return {-1} end
if c.confirm_until and g.now < c.confirm_until then return {math.ceil(c.confirm_until - g.now)} end
if c.pause_until and g.now < c.pause_until then return {math.ceil(c.pause_until - g.now)} end
-- Only the job that tries for all goes on; after an outage each call takes its turn.
if (c.breaker == 'open' or c.hold) and c.probe ~= ARGV[4] then return {1000} end
if c.breaker == 'ramp' and g.now < c.ramp_at then return {math.ceil(c.ramp_at - g.now)} end
local permit, at = take_permit(g, c)
if not permit then return {math.max(1, math.ceil(at - g.now))} end
close_gate(g, permit.next)
if c.breaker == 'ramp' then take_turn(g, c, ARGV[4], 0, 0) end
hold_place(g, ARGV[4], tonumber(ARGV[7]), permit.wait)
if ARGV[5] ~= '' then postpone_send(g, ARGV[5], ARGV[4], permit.ends) end
return {0, number(permit.ends), permit.scarce and 'scarce' or '', number(permit.wait)}
`);
