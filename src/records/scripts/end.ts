import { AUDIT_LUA } from "../../privacy/audit/outbox.ts";
import { LuaScript } from "../../redis/script.ts";
import { OTP_LIFE_MS } from "../../outcomes/challenge.ts";
import { RECORD_LUA } from "./common.ts";

/**
 * Ends a job that cannot be called at all (BullMQ gave it up). Never overrules a terminal state. KEYS record; ARGV id, now,
 * state, reason, retention ms, channel, P, when the reaper has to look at it. → `done` | `settled` | `missing`
 */
export const ABANDON = new LuaScript(`${RECORD_LUA}
local r = record_fields(KEYS[1], 'state', 'job')
local done = {}
if not r then
  park_no_record(ARGV[7], KEYS[1], ARGV[1], ARGV[2], ARGV[5], done)
  tell(ARGV[6], done)
  return 'done'
end
if not r[1] then return 'missing' end
if TERMINAL[r[1]] then return 'settled' end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'reason', ARGV[4], 'updated', ARGV[2])
redis.call('HDEL', KEYS[1], 'next', 'cause', 'detail', 'since', 'open')
local job, lookAt = parse_job(r[2] or ''), tonumber(ARGV[8])
-- As \`retentionOf\` has it: an OTP goes when it dies.
if string.match(job.operation or '', '%.verify$') then
  lookAt = math.min(lookAt, job.expires or tonumber(ARGV[2]) + ${OTP_LIFE_MS})
end
look_again(ARGV[7], ARGV[1], string.format('%.0f', lookAt))
settled(ARGV[7], KEYS[1], ARGV[3], ARGV[1], ARGV[2], ARGV[5], done, job.subject)
tell(ARGV[6], done)
return 'done'
`);

/**
 * A person's decision about an `unknown` job. KEYS record; ARGV id, now, state, decision JSON line, retention ms, channel, P,
 * when the reaper has to look at it, whether the input is kept (1) until then, the audit log's entry. A verify that succeeded
 * closes its send's challenge, as in FINISH. → `done` | `missing` | `destroyed` (its input is no longer kept) | the state it is in
 */
export const SETTLE = new LuaScript(`${RECORD_LUA}${AUDIT_LUA}
local r = redis.call('HMGET', KEYS[1], 'state', 'decisions', 'input', 'job')
if not r[1] then return 'missing' end
if r[1] ~= 'unknown' then return r[1] end
if not TERMINAL[ARGV[3]] and not r[3] then return 'destroyed' end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'updated', ARGV[2], 'decisions', (r[2] or '') .. ARGV[4] .. '\\n')
redis.call('HDEL', KEYS[1], 'lost', 'reason', 'next', 'cause', 'detail', 'since')
audit(ARGV[7], ARGV[10])
look_again(ARGV[7], ARGV[1], ARGV[8])
if ARGV[9] ~= '1' then redis.call('HDEL', KEYS[1], 'input') end
local job = parse_job(r[4] or '')
local of = job.of
if ARGV[3] == 'succeeded' and of then answered(ARGV[7], of, ARGV[1]) end
if TERMINAL[ARGV[3]] then
  local done = {}
  settled(ARGV[7], KEYS[1], ARGV[3], ARGV[1], ARGV[2], ARGV[5], done, job.subject)
  tell(ARGV[6], done)
else
  redis.call('PERSIST', KEYS[1])
  asked(ARGV[7], job.subject or '', ARGV[1], true)
end
return 'done'
`);

/**
 * Gives a failed job its attempts back. KEYS record; ARGV id, now, decision JSON line, P, the audit log's entry.
 * → `done` | `missing` | `destroyed` (its input is no longer kept) | its state
 */
export const REVIVE = new LuaScript(`${RECORD_LUA}${AUDIT_LUA}
local P = ARGV[4]
local r = redis.call('HMGET', KEYS[1], 'state', 'decisions', 'input', 'job')
if not r[1] then
  redis.call('ZREM', P .. 'failed', ARGV[1])
  return 'missing'
end
if r[1] ~= 'failed' then return r[1] end
if not r[3] then return 'destroyed' end
redis.call('HSET', KEYS[1], 'state', 'queued', 'updated', ARGV[2], 'decisions', (r[2] or '') .. ARGV[3] .. '\\n')
redis.call('HDEL', KEYS[1], 'spent', 'reason', 'next', 'cause', 'detail', 'since')
redis.call('PERSIST', KEYS[1])
redis.call('ZREM', P .. 'failed', ARGV[1])
audit(P, ARGV[5])
local job = parse_job(r[4])
asked(P, job.subject or '', ARGV[1], true)
look_again(P, ARGV[1], job.expires or '')
return 'done'
`);

/**
 * What is due of one queue: jobs whose deadline came while nobody took them expire, and sealed values that are kept no longer
 * are destroyed. One that cannot be taken stays due, and holds back no other. KEYS due; ARGV now, most at once, P, retention ms,
 * channel, result retention ms, again (ms until an attempt that is under way is looked at again). → for each job that expired
 * its id and \`job\` ('' = its key held no record: it is parked), one after the other; last how many were looked at
 */
export const REAP = new LuaScript(`${RECORD_LUA}
local now, P = tonumber(ARGV[1]), ARGV[3]
local done, expired, looked = {}, {}, 0

local function reap(key, id)
  local r = record_fields(key, 'state', 'job', 'personal', 'updated')
  if not r then
    looked = looked + 1
    park_no_record(P, key, id, ARGV[1], ARGV[4], done)
    expired[#expired + 1] = id
    expired[#expired + 1] = ''
    return
  end
  local keptUntil = (tonumber(r[4]) or 0) + tonumber(ARGV[6])
  local job = parse_job(r[2] or '')
  local deadline = job.expires
  if not r[1] or (not TERMINAL[r[1]] and not deadline) then
    look_again(P, id, '')
  elseif not TERMINAL[r[1]] and deadline > now then
    -- It was \`unknown\`, until its true outcome came.
    look_again(P, id, string.format('%.0f', deadline))
  elseif r[1] == 'active' then
    look_again(P, id, string.format('%.0f', now + tonumber(ARGV[7])))
  elseif not TERMINAL[r[1]] then
    expire(P, key, id, ARGV[1], ARGV[4], done, job.subject)
    expired[#expired + 1] = id
    expired[#expired + 1] = r[2]
  elseif r[3] and keptUntil > now then
    redis.call('HDEL', key, 'input')
    look_again(P, id, string.format('%.0f', keptUntil))
  else
    redis.call('HDEL', key, 'input', 'personal')
    look_again(P, id, '')
  end
  looked = looked + 1
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  attempted(reap, P .. 'job:' .. id, id)
end
tell(ARGV[5], done)
expired[#expired + 1] = looked
return expired
`);

/** KEYS record; ARGV sealed personal data. Nothing happens where it holds another by now. */
export const DESTROY_PERSONAL = new LuaScript(`
if redis.call('HGET', KEYS[1], 'personal') == ARGV[1] then redis.call('HDEL', KEYS[1], 'personal') end
`);
