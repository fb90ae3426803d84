import { ASKED_LUA } from "./asked.ts";

/**
 * The life of a record in atomic steps. A record is one hash:
 *
 * | field | holds |
 * | --- | --- |
 * | `job` | what was submitted, as words (`StoredJob`): operation, lane, created, expires, subject, ref, of, scopes |
 * | `digest` | keyed hash of the input, to tell the same submission from another |
 * | `input` | sealed input (JSON) |
 * | `state`, `reason`, `next`, `updated` | where it stands; times in ms |
 * | `cause`, `detail`, `since` | why it waits (`WaitCause`), what exactly, and since when for this cause |
 * | `attempts`, `attempt:N` | the journal: how many, and each as JSON |
 * | `open` | the attempt between request and reply, as `N stamp`; the stamp is its opener's. Empty or absent otherwise |
 * | `lost` | the attempt that was given up as `unknown` without its reply, as `open` had it |
 * | `spent` | attempts used, 409s so far, sends repeated after `unknown`: `1 0 0`; absent = none |
 * | `result`, `personal` | references and masks; sealed personal data |
 * | `answered` | of a send: the verify that succeeded with its OTP |
 * | `decisions` | what people decided about it (`settle`), as JSON lines |
 */
export const RECORD_LUA = `${ASKED_LUA}
local TERMINAL = {succeeded=1, rejected=1, failed=1, unknown=1, expired=1, cancelled=1}

-- These causes stop the whole credential: the job goes back to the front of its queue, and its time is not binding.
local GATE = {quota=1, busy=1, breaker=1, throttled=1, held=1}

local function parse_job(text)
  local j = {}
  j.operation, j.lane, j.created, j.expires, j.subject, j.ref, j.of, j.scopes =
    string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(.*)$')
  j.endless = j.expires == '~'
  j.expires = j.expires and tonumber(j.expires)
  return j
end

-- As \`brokenFields\` has it: the fields that decide about a job and are not what was stored; nil where all are.
local OPEN = {queued=1, active=1, waiting=1}
local function broken_fields(job, state, count, due)
  local names = {}
  local lane = job.lane == 'interactive' or job.lane == 'bulk'
  if not lane or not tonumber(job.created) or not (job.expires or job.endless) then names[#names + 1] = 'job' end
  if not OPEN[state] and not TERMINAL[state] then names[#names + 1] = 'state' end
  if not count or count < 0 or count > 100000 or count % 1 ~= 0 then names[#names + 1] = 'attempts' end
  if due and not tonumber(due) then names[#names + 1] = 'next' end
  if #names > 0 then return table.concat(names, ', ') end
end

-- \`due\` (a sorted set by time, ms): when the reaper has to look at a record: its deadline, or the end of what is kept sealed.
local function look_again(P, id, at)
  if at == '' then redis.call('ZREM', P .. 'due', id) else redis.call('ZADD', P .. 'due', at, id) end
end

-- \`done\`: ids that are told to those who wait, once for a whole batch.
local function settled(P, key, state, id, now, retention, done, subject)
  redis.call('PEXPIRE', key, retention)
  asked(P, subject or '', id, false)
  if state == 'failed' then redis.call('ZADD', P .. 'failed', now, id) end
  done[#done + 1] = id
end

-- Something else stands where the record was. It stays for those who want to know what, as long as a record; as failed.
local function park_no_record(P, key, id, now, retention, done)
  settled(P, key, 'failed', id, now, retention, done)
  look_again(P, id, '')
end

local function expire(P, key, id, now, retention, done, subject)
  redis.call('HSET', key, 'state', 'expired', 'reason', 'its deadline came first', 'updated', now)
  redis.call('HDEL', key, 'next', 'cause', 'detail', 'since', 'input')
  look_again(P, id, '')
  settled(P, key, 'expired', id, now, retention, done, subject)
end

-- The OTP of that send was answered by this verify.
local function answered(P, send, id)
  local key = P .. 'job:' .. send
  local r = record_fields(key, 'state')
  if not r or not r[1] then return end
  redis.call('HSET', key, 'answered', id)
  redis.call('HDEL', key, 'input')
end

local function tell(channel, done)
  if #done > 0 then redis.call('PUBLISH', channel, table.concat(done, ' ')) end
end

-- One job's step; its fault is its own answer, not that of the others in the batch. What Redis refuses, it refuses to all:
-- the whole batch is asked again. A text is raised, never a table: Redis 7.0 dies of one without \`err\`.
local function attempted(step, ...)
  local ok, answer = pcall(step, ...)
  if ok then return answer end
  local text = type(answer) == 'table' and answer.err or tostring(answer)
  for _, word in ipairs({'OOM', 'READONLY', 'NOREPLICAS', 'MISCONF'}) do
    if string.find(text, word .. ' ', 1, true) then error(text, 0) end
  end
  return {'fault', text}
end
`;
