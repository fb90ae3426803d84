import { GATE_LUA } from "../../limits/gate/gate.ts";
import { AUDIT_LUA } from "../../privacy/audit/outbox.ts";
import { LuaScript } from "../../redis/script.ts";
import { RECORD_LUA } from "./common.ts";

/** Arguments of each job. */
const FINISH_ARGS = 23;

/**
 * The journal's second half, after the reply: closes an attempt of each job, moves the job on, and tells the gate how the
 * call went. A worker that was taken for dead may still bring the true outcome of an attempt that was given up as lost:
 * truth wins.
 * KEYS records; ARGV P, B, channel, retention ms, hold ms; then of each job: id, open, now, attempt JSON, state, reason, next,
 * cause, result JSON, sealed personal, spent, lost (as `open`, or ''), how the call went (`well`, `failed`, `throttled`,
 * `refused` or ''), retry after ms or '', scope, scope's reason, subject or '', sent (1 = a person was or may have been sent
 * an OTP), scopes, the send's id whose OTP this verify answers, or '', when the reaper has to look at it (ms, '' = never, - = as
 * before), whether the input is kept (1) until then, and the audit log's entry or ''.
 * → for each {`stale`} | {`missing`} | {`done`, next, `corrected` (it was taken for lost before) or ''} | {`fault`, message}
 */
export const FINISH = new LuaScript(`${GATE_LUA}${RECORD_LUA}${AUDIT_LUA}
local P, B, channel, retention, holdMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local FIRST = 5
local g, done, left = open_gate(P, B), {}, {}

local function set(fields, name, value)
  if value == '' then return end
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end

local function finish(key, id, open, now, attempt, state, reason, nextAt, cause, result, personal, spent, lost,
    went, retryAfter, scope, why, subject, sent, scopes, answers, due, keeps, entry)
  local r = record_fields(key, 'open', 'state', 'lost')
  if not r then
    left[#left + 1] = id
    park_no_record(P, key, id, now, retention, done)
    return {'missing'}
  end
  if not r[2] then
    left[#left + 1] = id
    return {'missing'}
  end
  local n = string.match(open, '^%d+')
  local isOpen = r[1] == open
  if not isOpen and not ((r[2] == 'unknown' or r[2] == 'waiting') and (r[3] == open or r[3] == n)) then
    -- This very step, sent again because its answer was cut off, has been taken already.
    local stored = redis.call('HMGET', key, 'attempt:' .. n, 'next')
    if stored[1] == attempt then return {'done', stored[2] or '', ''} end
    return {'stale'}
  end

  left[#left + 1] = id
  local c = read_control(g)
  if went ~= '' and not g.broken then
    -- By one clock, the caller's.
    local begun = tonumber(string.match(open, '^%d+ ........(%d+)$'))
    local ms = begun and now - begun
    if ms and (ms < 0 or ms > 3600000) then ms = nil end
    if went == 'well' then call_went_well(g, c, id, scopes, ms)
    elseif went == 'failed' then call_failed(g, c, id)
    elseif went == 'throttled' then nextAt = number(call_throttled(g, c, tonumber(retryAfter), ms))
    else nextAt = number(call_refused(g, c, scope, why, holdMs)) end
    if went ~= 'well' or not g.calm then changed(g) end
  end
  if subject ~= '' and sent ~= '1' then forget_send(g, subject, id) end

  local fields = {'state', state, 'updated', now, 'open', '', 'spent', spent, 'attempt:' .. n, attempt}
  set(fields, 'reason', reason)
  set(fields, 'result', result)
  set(fields, 'personal', personal)
  set(fields, 'lost', lost)
  if not TERMINAL[state] then
    set(fields, 'next', nextAt)
    set(fields, 'cause', cause)
    set(fields, 'since', now)
    if not isOpen then
      redis.call('PERSIST', key)
      asked(P, subject, id, true)
    end
  end
  -- A record with an open attempt has none of these: they went when it was opened.
  if not isOpen then redis.call('HDEL', key, 'lost', 'reason', 'next', 'cause', 'detail', 'since') end
  audit(P, entry)
  redis.call('HSET', key, unpack(fields))
  if TERMINAL[state] then settled(P, key, state, id, now, retention, done, subject) end
  if due ~= '-' then look_again(P, id, due) end
  if keeps ~= '1' then redis.call('HDEL', key, 'input') end
  if answers ~= '' and state == 'succeeded' then answered(P, answers, id) end
  return {'done', nextAt, isOpen and '' or 'corrected'}
end

local answers = {}
for i, key in ipairs(KEYS) do
  local at = FIRST + (i - 1) * ${FINISH_ARGS}
  answers[i] = attempted(finish, key, unpack(ARGV, at + 1, at + ${FINISH_ARGS}))
end
leave_places(g, read_control(g), left)
tell(channel, done)
return answers
`);
