-- What is due of one queue: jobs whose deadline came while nobody took them expire, and sealed values that are kept no longer
-- are destroyed. One that cannot be taken stays due, and holds back no other. `again`: until an attempt that is under way is
-- looked at again, ms; `archives`: what is packed goes into the archive; `step`: of this sending, for one that is sent again because its
-- answer was cut off. KEYS due, the last answer
-- → {for each job that expired its id, `job` ('' = its key held no record: it is parked) and its state, one after the other}, {the ids of
-- the records that nothing changes any more}, how many were looked at, {the operations of sends whose OTP nobody answered in time},
-- {those of sends for which codes were given, and none was right in time}
-- constants: ANSWER_KEPT_MS
if redis.pcall('GETRANGE', KEYS[2], 0, #step - 1) == step then
  return cmsgpack.unpack(redis.call('GETRANGE', KEYS[2], #step, -1))
end
local due_by = tonumber(now)
local a = new_archive(due_by, tonumber(retention))
local done, expired, at_rest, looked, unanswered, spent, due_no_more = {}, {}, {}, 0, {}, {}, {}

-- An OTP that can be answered no more, and that no other took the place of.
local function ran_out(operation, has_codes)
  local ended = has_codes and spent or unanswered
  ended[#ended + 1] = operation
end

local function has_codes(key)
  return redis.call('HEXISTS', key, 'codes') == 1
end

-- A send's input is kept until its OTP is answered, or can be answered no more.
local function forget_input(key, state, job, replaced)
  if redis.call('HDEL', key, 'input') == 1 and state == 'succeeded' and not replaced then
    ran_out(job.operation, has_codes(key))
  end
end

-- Whether Redis keeps such a hash in many pieces: its settings decide it for all. A user who may not ask is told so.
local scatters
local function is_scattered(key)
  if scatters == nil then
    local encoding = redis.pcall('OBJECT', 'ENCODING', key)
    scatters = type(encoding) == 'table' and encoding.err ~= nil or encoding == 'hashtable'
  end
  return scatters
end

-- Of a packed send, `input` and `operation`: it has both if nobody answered its OTP.
local SEALED = 2

-- → whether it is archived, without what was sealed
local function put_away(key, id, operation, replaced)
  local left = archived_for(a, key, id)
  if not left then return false end
  local text, dropped, codes = archived_text(redis.call('HGETALL', key))
  if not text or not archive(a, prefix, key, id, text, left) then return false end
  if dropped == SEALED and not replaced then ran_out(operation, codes) end
  return true
end

-- A packed record loses what was sealed.
local function unseal_packed(key, id, operation, replaced)
  if archives and put_away(key, id, operation, replaced) then return end
  if redis.call('HDEL', key, 'input', 'operation') == SEALED and not replaced then ran_out(operation, has_codes(key)) end
  if is_scattered(key) then
    local fields, left = redis.call('HGETALL', key), redis.call('PTTL', key)
    rewrite(key, fields, left)
  end
end

local function reap(key, id)
  local stored = record_fields(key, 'state', 'job', 'personal', 'updated', 'replaced', '1', 'operation')
  if not stored then
    looked = looked + 1
    park_no_record(prefix, key, id, now, retention, done)
    expired[#expired + 1] = id
    expired[#expired + 1] = ''
    expired[#expired + 1] = 'failed'
    return
  end
  local state, text, personal = stored[1], stored[2], stored[3]
  local kept_until = (tonumber(stored[4]) or 0) + result_retention
  local job = parse_job(text or '')
  local deadline = job.expires
  if not state or (not TERMINAL[state] and not deadline) then
    schedule_reaper(prefix, id, '')
  elseif not TERMINAL[state] and deadline > due_by then
    -- It was `unknown`, until its true outcome came.
    schedule_reaper(prefix, id, number(deadline))
  elseif state == 'active' then
    schedule_reaper(prefix, id, number(due_by + again))
  elseif not TERMINAL[state] then
    local ended = expire(prefix, key, id, now, retention, done, job.subject)
    expired[#expired + 1] = id
    expired[#expired + 1] = text
    expired[#expired + 1] = ended
    if ended == 'expired' then at_rest[#at_rest + 1] = id end
  elseif stored[6] then
    unseal_packed(key, id, stored[7], stored[5])
    due_no_more[#due_no_more + 1] = id
  elseif personal and kept_until > due_by then
    forget_input(key, state, job, stored[5])
    schedule_reaper(prefix, id, number(kept_until))
  else
    forget_input(key, state, job, stored[5])
    redis.call('HDEL', key, 'personal')
    schedule_reaper(prefix, id, '')
    -- Of the others somebody has still to decide.
    if state ~= 'failed' and state ~= 'unknown' then at_rest[#at_rest + 1] = id end
  end
  looked = looked + 1
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most)) do
  attempted(reap, prefix .. 'job:' .. id, id)
end
write_archive(a)
if #due_no_more > 0 then redis.call('ZREM', KEYS[1], unpack(due_no_more)) end
tell(channel, done)
local answer = {expired, at_rest, looked, unanswered, spent}
redis.call('SET', KEYS[2], step .. cmsgpack.pack(answer), 'PX', ANSWER_KEPT_MS)
return answer
