import { GATE_LUA } from "../limits/gate.ts";
import { LuaScript } from "./lua.ts";

/**
 * The life of a record in atomic steps. A record is one hash:
 *
 * | field | holds |
 * | --- | --- |
 * | `operation`, `lane`, `created`, `expires` | what was submitted; times in ms |
 * | `input` | sealed input (JSON) |
 * | `ref` | the `client_ref_id` that every attempt has to use: a mobile verify re-uses its send's |
 * | `subject` | keyed hash of the person, only of a send |
 * | `scopes` | what may be held for itself, separated by blanks: `user_code:X initiator_id:Y operation:Z` |
 * | `digest` | keyed hash of the input, to tell the same submission from another |
 * | `state`, `reason`, `next`, `updated` | where it stands |
 * | `cause`, `detail`, `since` | why it waits (`WaitCause`), what exactly, and since when for this cause |
 * | `attempts`, `attempt:N` | the journal: how many, and each as JSON |
 * | `open` | number of the attempt between request and reply, absent otherwise |
 * | `lost` | number of the attempt that was given up as `unknown` without its reply |
 * | `used`, `pendings`, `resends` | attempts spent, 409s so far, sends repeated after `unknown` |
 * | `result`, `personal` | references and masks; sealed personal data |
 * | `decisions` | what people decided about it (`settle`), as JSON lines |
 */

/** KEYS record; ARGV digest, then field/value pairs. → `created` | `duplicate` | `conflict` */
export const CREATE = new LuaScript(`
local digest = redis.call('HGET', KEYS[1], 'digest')
if digest then
  if digest == ARGV[1] then return 'duplicate' end
  return 'conflict'
end
redis.call('HSET', KEYS[1], 'digest', unpack(ARGV))
return 'created'
`);

const COMMON = `
local TERMINAL = {succeeded=1, rejected=1, failed=1, unknown=1, expired=1, cancelled=1}

-- These causes stop the whole credential: the job goes back to the front of its queue, and its time is not binding.
local GATE = {quota=1, breaker=1, throttled=1, held=1}

local function words(text)
  local list = {}
  for word in string.gmatch(text or '', '%S+') do list[#list + 1] = word end
  return list
end

local function settled(P, state, id, now, retention, channel)
  redis.call('PEXPIRE', KEYS[1], retention)
  if state == 'failed' then redis.call('ZADD', P .. 'failed', now, id) end
  redis.call('PUBLISH', channel, id)
end
`;

/**
 * The journal's first half, before a request is written: opens the next attempt, if the gate lets it through.
 * KEYS record, reference; ARGV id, now, fresh ref, retention ms, channel, P, B, hold ms, call ms, cooldown ms, cooldown max,
 * cooldown span ms, floor (after so many calls the next is for a bulk job).
 * → {`missing`} | {`settled`, state} | {`expired`, operation, lane} | {`early`, until} | {`blocked`, cause, until, detail}
 * | {`open`, n, attempt JSON, job…} | {`run`, n, ref, job…, due, scarce, permit}
 */
export const BEGIN = new LuaScript(`${GATE_LUA}${COMMON}
local id, now, P, B = ARGV[1], tonumber(ARGV[2]), ARGV[6], ARGV[7]
local r = redis.call('HMGET', KEYS[1], 'state', 'expires', 'open', 'operation', 'lane', 'input', 'used', 'pendings',
  'resends', 'next', 'created', 'ref', 'subject', 'scopes', 'cause')
if not r[1] then return {'missing'} end
if TERMINAL[r[1]] then return {'settled', r[1]} end
local job = {r[4], r[5], r[6], r[7] or '0', r[8] or '0', r[9] or '0', r[2] or ''}
if r[3] then
  local ref = r[12] or ARGV[3]
  local attempt = redis.call('HGET', KEYS[1], 'attempt:' .. r[3])
  if attempt ~= '{"client_ref_id":"' .. ref .. '","started":' .. ARGV[2] .. '}' then
    return {'open', r[3], attempt, unpack(job)}
  end
  -- This very step, sent again because its answer was cut off: its attempt is open, and its permit is old.
  job[8], job[9], job[10] = r[10] or r[11], 'scarce', ''
  return {'run', tonumber(r[3]), ref, unpack(job)}
end
if r[2] and now >= tonumber(r[2]) then
  redis.call('HSET', KEYS[1], 'state', 'expired', 'reason', 'its deadline came first', 'updated', ARGV[2])
  redis.call('HDEL', KEYS[1], 'next', 'cause', 'detail', 'since')
  settled(P, 'expired', id, now, ARGV[4], ARGV[5])
  return {'expired', r[4], r[5]}
end
if r[10] and now < tonumber(r[10]) and not (r[15] and GATE[r[15]]) then return {'early', r[10]} end

local function blocked(cause, at, detail)
  if cause ~= r[15] then redis.call('HSET', KEYS[1], 'since', ARGV[2]) end
  redis.call('HSET', KEYS[1], 'state', 'waiting', 'cause', cause, 'detail', detail or '', 'next', string.format('%.0f', at), 'updated', ARGV[2])
  redis.call('HDEL', KEYS[1], 'reason')
  return {'blocked', cause, string.format('%.0f', at), detail or ''}
end

local t = clock()
local c = read_control(P)
local cause, at, detail = stopped(c, t)
if cause then
  close_gate(B, t, at)
  return blocked(cause, at, detail)
end
local due
at, detail, due = scope_held(P, c, t, words(r[14]))
if at then return blocked('scope', at, detail) end
local holdMs, cooldown, most, span = tonumber(ARGV[8]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
if r[13] then
  at = cooldown_free(P, r[13], id, t, cooldown, most, span)
  if at > 0 then return blocked('cooldown', at) end
end
local permit, scarce, next, count = take_permit(P, c, t)
if permit == 0 then
  close_gate(B, t, scarce)
  -- Its turn at the front was in vain: it gets the next one.
  if r[5] == 'bulk' then redis.call('HSET', P .. 'control', 'floor_owed', 1) end
  return blocked('quota', scarce, next)
end
-- Until when its call arrives at the latest: the person's next one keeps its distance from that.
if r[13] then remember_send(P, r[13], id, permit, cooldown, most, span) end
take_scope_turns(P, due, t, holdMs)
close_gate(B, t, math.max(next, take_turn(P, c, id, t, holdMs, tonumber(ARGV[9]))))
keep_floor(P, B, c, count, tonumber(ARGV[13]))

local n = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
local ref = r[12] or ARGV[3]
redis.call('HSET', KEYS[1], 'open', n, 'state', 'active', 'updated', ARGV[2],
  'attempt:' .. n, '{"client_ref_id":"' .. ref .. '","started":' .. ARGV[2] .. '}')
if r[10] or r[1] == 'waiting' then redis.call('HDEL', KEYS[1], 'next', 'reason', 'cause', 'detail', 'since') end
if not r[12] then redis.call('SET', KEYS[2], id, 'PX', ARGV[4]) end
job[8] = r[10] or r[11]
job[9] = scarce and 'scarce' or ''
job[10] = string.format('%.0f', permit)
return {'run', n, ref, unpack(job)}
`);

/**
 * A fresh permit for an attempt whose first one grew old before its request could be written.
 * Nothing was written with the first one, so it is taken back.
 * ARGV P, B, the old permit or ''. → {0, permit, scarce}, or {in how many ms to ask again}
 */
export const PERMIT = new LuaScript(`${GATE_LUA}
local P, B = ARGV[1], ARGV[2]
local t = clock()
local c = read_control(P)
if ARGV[3] ~= '' then redis.call('LREM', P .. 'permits', 1, ARGV[3]) end
if c.pause_until and t < c.pause_until then return {math.ceil(c.pause_until - t)} end
-- Nobody tries yet, so it is not the one that tries who asks.
if c.breaker == 'open' and t < c.probe_at and not c.probe then return {math.ceil(c.probe_at - t)} end
local permit, scarce, next = take_permit(P, c, t)
if permit == 0 then return {math.ceil(scarce - t)} end
close_gate(B, t, next)
return {0, string.format('%.0f', permit), scarce and 'scarce' or ''}
`);

/**
 * The journal's second half, after the reply: closes attempt n, moves the job on, and tells the gate how the call went.
 * A worker that was taken for dead may still bring the true outcome of an attempt that was given up as lost: truth wins.
 * KEYS record; ARGV id, n, now, attempt JSON, state, reason, next, cause, result JSON, sealed personal, used, pendings,
 * resends, retention ms, channel, lost (n or ''), P, B, how the call went (`well`, `failed`, `throttled`, `refused` or ''),
 * retry after ms or '', scope, scope's reason, hold ms, sent (1 = a person was or may have been sent an OTP), open challenge
 * (its name, or '') and its life in ms.
 * → {`stale`} | {`missing`} | {`done`, next}
 */
export const FINISH = new LuaScript(`${GATE_LUA}${COMMON}
local id, P, B = ARGV[1], ARGV[17], ARGV[18]
local r = redis.call('HMGET', KEYS[1], 'state', 'open', 'lost', 'subject', 'scopes')
if not r[1] then return {'missing'} end
if r[2] ~= ARGV[2] and not (r[1] == 'unknown' and r[3] == ARGV[2]) then
  -- This very step, sent again because its answer was cut off, has been taken already.
  local stored = redis.call('HMGET', KEYS[1], 'attempt:' .. ARGV[2], 'next')
  if stored[1] == ARGV[4] then return {'done', stored[2] or ''} end
  return {'stale'}
end

local went, nextAt = ARGV[19], ARGV[7]
if went ~= '' then
  local t = clock()
  local c = read_control(P)
  if went == 'well' then call_went_well(P, B, c, id, t, words(r[5]))
  elseif went == 'failed' then call_failed(P, B, c, id, t)
  elseif went == 'throttled' then nextAt = string.format('%.0f', call_throttled(P, B, c, t, tonumber(ARGV[20])))
  else nextAt = string.format('%.0f', call_refused(P, B, c, t, ARGV[21], ARGV[22], tonumber(ARGV[23]))) end
end
if r[4] and ARGV[24] ~= '1' then forget_send(P, r[4], id) end
if r[4] and ARGV[25] ~= '' then redis.call('SET', P .. 'challenge:' .. r[4] .. ':' .. ARGV[25], id, 'PX', ARGV[26]) end

redis.call('HSET', KEYS[1], 'state', ARGV[5], 'updated', ARGV[3], 'attempt:' .. ARGV[2], ARGV[4],
  'used', ARGV[11], 'pendings', ARGV[12], 'resends', ARGV[13])
redis.call('HDEL', KEYS[1], 'open', 'reason', 'next', 'cause', 'lost')
local function set(field, value)
  if value ~= '' then redis.call('HSET', KEYS[1], field, value) end
end
set('reason', ARGV[6])
set('result', ARGV[9])
set('personal', ARGV[10])
set('lost', ARGV[16])
if TERMINAL[ARGV[5]] then
  settled(P, ARGV[5], id, ARGV[3], ARGV[14], ARGV[15])
else
  redis.call('HSET', KEYS[1], 'next', nextAt, 'cause', ARGV[8], 'since', ARGV[3])
end
return {'done', nextAt}
`);

/**
 * Ends a job that cannot be called at all (its input cannot be opened, BullMQ gave it up). Never overrules a terminal
 * state. KEYS record; ARGV id, now, state, reason, retention ms, channel, P. → `done` | `settled` | `missing`
 */
export const ABANDON = new LuaScript(`${COMMON}
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'missing' end
if TERMINAL[state] then return 'settled' end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'reason', ARGV[4], 'updated', ARGV[2])
redis.call('HDEL', KEYS[1], 'next', 'cause', 'detail', 'since', 'open')
settled(ARGV[7], ARGV[3], ARGV[1], ARGV[2], ARGV[5], ARGV[6])
return 'done'
`);

/**
 * A person's decision about an `unknown` job. KEYS record; ARGV id, now, state, decision JSON line, retention ms, channel, P.
 * → `done` | `missing` | the state it is in
 */
export const SETTLE = new LuaScript(`${COMMON}
local r = redis.call('HMGET', KEYS[1], 'state', 'decisions')
if not r[1] then return 'missing' end
if r[1] ~= 'unknown' then return r[1] end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'updated', ARGV[2], 'decisions', (r[2] or '') .. ARGV[4] .. '\\n')
redis.call('HDEL', KEYS[1], 'lost', 'reason', 'next', 'cause', 'detail', 'since')
if TERMINAL[ARGV[3]] then settled(ARGV[7], ARGV[3], ARGV[1], ARGV[2], ARGV[5], ARGV[6])
else redis.call('PERSIST', KEYS[1]) end
return 'done'
`);

/**
 * Gives a failed job its attempts back. KEYS record; ARGV id, now, decision JSON line, P. → `done` | `missing` | its state
 */
export const REVIVE = new LuaScript(`
local r = redis.call('HMGET', KEYS[1], 'state', 'decisions')
if not r[1] then
  redis.call('ZREM', ARGV[4] .. 'failed', ARGV[1])
  return 'missing'
end
if r[1] ~= 'failed' then return r[1] end
redis.call('HSET', KEYS[1], 'state', 'queued', 'updated', ARGV[2], 'used', 0, 'pendings', 0, 'resends', 0,
  'decisions', (r[2] or '') .. ARGV[3] .. '\\n')
redis.call('HDEL', KEYS[1], 'reason', 'next', 'cause', 'detail', 'since')
redis.call('PERSIST', KEYS[1])
redis.call('ZREM', ARGV[4] .. 'failed', ARGV[1])
return 'done'
`);
