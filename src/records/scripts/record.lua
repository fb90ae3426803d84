-- What the steps of a record's life share. A record is one hash:
--
-- | field | holds |
-- | --- | --- |
-- | `job` | what was submitted, as words (`StoredJob`): operation, lane, created, expires, subject, ref, of, scopes |
-- | `parent` | whose step or row it is (`ParentRef`), to be told of its end; absent = nobody's |
-- | `digest` | keyed hash of the input, to tell the same submission from another |
-- | `input` | sealed input (JSON) |
-- | `state`, `reason`, `next`, `updated` | where it stands; times in ms |
-- | `cause`, `detail`, `since` | why it waits (`WaitCause`), what exactly, and since when for this cause |
-- | `attempts`, `attempt:N` | the journal: how many, and each as JSON |
-- | `open` | the attempt between request and reply, as `N stamp`; the stamp is its opener's. Empty or absent otherwise |
-- | `lost` | the attempt that was given up as `unknown` without its reply, as `open` had it |
-- | `spent` | attempts used, 409s so far, sends repeated after `unknown`: `1 0 0`; absent = none |
-- | `result`, `personal` | references and masks; sealed personal data |
-- | `ticket` | the ticket that carries it; absent: an entry of its own in the queue does. Of no meaning once it is settled |
-- | `answered` | of a send: the verify that succeeded with its OTP |
-- | `codes` | of a send: the codes that were given, `HASH VERIFY MS,…`, oldest first (`src/challenges`) |
-- | `replaced` | of a send: the one that was made after it for the same challenge |
-- | `early` | of a send: a code came before it had settled, and waits for that |
-- | `decisions` | what people decided about it (`settle`, `promote`), as JSON lines |
-- | `1`, `2`, … | of a job that ended: all of this but `digest`, `state`, `answered` and what came later, in short (`packRecord`) |
-- | `operation` | of a packed send whose OTP may still be answered (it has its `input`, too): what `job` begins with |
-- constants: TERMINAL, LANES, GATE_CAUSES, MOST_ATTEMPTS, LONGEST_CALL_MS, LATE_IN_DOUBT

local function parse_job(text)
  local job = {}
  job.operation, job.lane, job.created, job.expires, job.subject, job.ref, job.of, job.scopes =
    string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(.*)$')
  job.endless = job.expires == '~'
  job.expires = job.expires and tonumber(job.expires)
  return job
end

-- The fields that decide about a job and are not what was stored, as in `brokenFields`; nil where all are.
local function broken_fields(job, state, count, due)
  local is_job = LANES[job.lane] and tonumber(job.created) and (job.expires or job.endless)
  local is_state = OPEN_STATES[state] or TERMINAL[state]
  local is_count = count and count >= 0 and count <= MOST_ATTEMPTS and count % 1 == 0
  local is_due = not due or tonumber(due)
  if is_job and is_state and is_count and is_due then return nil end
  local names = {}
  if not is_job then names[#names + 1] = 'job' end
  if not is_state then names[#names + 1] = 'state' end
  if not is_count then names[#names + 1] = 'attempts' end
  if not is_due then names[#names + 1] = 'next' end
  return table.concat(names, ', ')
end

-- How long the call of an attempt took, ms, by one clock, its opener's; nil: not known.
local function call_took(open, now)
  local begun = tonumber(string.match(open, '^%d+ ........(%d+)$'))
  local ms = begun and now - begun
  if ms and ms >= 0 and ms <= LONGEST_CALL_MS then return ms end
end

-- `due` (a sorted set by time, ms): when the reaper has to look at a record: its deadline, or the end of what is kept sealed.
local function schedule_reaper(prefix, id, at)
  if at == '' then redis.call('ZREM', prefix .. 'due', id) else redis.call('ZADD', prefix .. 'due', at, id) end
end

-- Tells whoever this job is a part of that it ended, or goes on after all, in the step that says so.
local function tell_parent(prefix, key, id, state)
  local told = redis.call('HMGET', key, 'parent', 'early')
  if told[1] then append_to(prefix .. 'parents', id .. ' ' .. state .. ' ' .. told[1]) end
  if told[2] then append_to(prefix .. 'parents', id .. ' ' .. state .. ' c:' .. id .. ':early') end
end

-- A hash that was once large stays as large: so it is made anew. `left`: its time to live, ms; not positive: it has none.
local function rewrite(key, fields, left)
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(fields))
  if left > 0 then redis.call('PEXPIRE', key, left) end
end

-- `done`: ids that are told to those who wait, once for a whole batch.
local function settled(prefix, key, state, id, now, retention, done, subject)
  redis.call('PEXPIRE', key, retention)
  asked(prefix, subject or '', id, false)
  if state == 'failed' or state == 'unknown' then redis.call('ZADD', prefix .. state, now, id) end
  done[#done + 1] = id
end

-- Whether this very decision was the last: the step was sent again, because its answer was cut off.
local function was_decided(decisions, decision)
  return string.sub(decisions or '', -#decision - 1) == decision .. '\n'
end

local function set(fields, name, value)
  if value == '' then return end
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end

-- Something else stands where the record was. It stays for those who want to know what, as long as a record; as failed.
local function park_no_record(prefix, key, id, now, retention, done)
  settled(prefix, key, 'failed', id, now, retention, done)
  schedule_reaper(prefix, id, '')
end

-- Whether a job waits to be sent once more (`spent`), as its earlier send may have happened: without another it is `unknown`, and the
-- late truth of that one is still taken (`lost`).
local function is_in_doubt(spent)
  return (tonumber(string.match(spent or '', '^%d+ %d+ (%d+)$')) or 0) > 0
end

-- A job's deadline came. → its state
local function expire(prefix, key, id, now, retention, done, subject)
  local doubt = is_in_doubt(redis.call('HGET', key, 'spent'))
  local state = doubt and 'unknown' or 'expired'
  local reason = doubt and LATE_IN_DOUBT or 'its deadline came first'
  redis.call('HSET', key, 'state', state, 'reason', reason, 'updated', now)
  redis.call('HDEL', key, 'next', 'cause', 'detail', 'since', 'input', 'ticket')
  schedule_reaper(prefix, id, '')
  tell_parent(prefix, key, id, state)
  settled(prefix, key, state, id, now, retention, done, subject)
  return state
end

-- Whether this very step ended it so before: it was sent again, because its answer was cut off.
local function was_expired(key, state, now)
  local stored = redis.call('HMGET', key, 'updated', 'reason')
  return stored[1] == now and (state == 'expired' or stored[2] == LATE_IN_DOUBT)
end

-- A verify succeeded: the OTP of its send is answered, and the send's input is needed no more.
local function close_challenge(prefix, send, verify)
  local key = prefix .. 'job:' .. send
  local stored = found_fields(key, 'state')
  if not stored or not stored[1] then return end
  redis.call('HSET', key, 'answered', verify)
  redis.call('HDEL', key, 'input')
end

local function tell(channel, done)
  if #done > 0 then redis.call('PUBLISH', channel, table.concat(done, ' ')) end
end

-- One job's step; its fault is its own answer, not that of the others in the batch. What Redis refuses, it refuses to all:
-- the whole batch is asked again. A text is raised, never a table: Redis 7.0 dies of one without `err`.
local function attempted(step, ...)
  local ok, answer = pcall(step, ...)
  if ok then return answer end
  local text = type(answer) == 'table' and answer.err or tostring(answer)
  for _, word in ipairs({'OOM', 'READONLY', 'NOREPLICAS', 'MISCONF'}) do
    if string.find(text, word .. ' ', 1, true) then error(text, 0) end
  end
  return {'fault', text}
end
