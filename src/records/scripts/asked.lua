-- Which sends of a person are not settled. `asked:XX`, XX the first two characters of the subject, is a hash: the rest of
-- the subject → `id,id,…`, newest first. Small hashes, because a key for each subject would cost thrice the memory; an entry
-- goes with the end of its job.
-- constants: MOST_ASKED, OPEN_STATES

-- These fields of a record; nil where its key holds something else than a hash.
local function record_fields(key, ...)
  return ask_hash('HMGET', key, ...)
end

-- The same of a record that may be archived: the first of them is in every record. nil also where what is archived cannot be read.
-- Where there is none: whether it may have been archived where something else stands now
local function found_fields(key, ...)
  local stored = record_fields(key, ...)
  if not stored or stored[1] then return stored end
  local was_archived, may_be_lost = unarchive(key)
  if was_archived == nil then return nil end
  return was_archived and record_fields(key, ...) or stored, may_be_lost
end

local function asked_place(prefix, subject)
  return prefix .. 'asked:' .. string.sub(subject, 1, 2), string.sub(subject, 3)
end

local function asked_ids(prefix, subject)
  local key, field = asked_place(prefix, subject)
  return string.gmatch(redis.call('HGET', key, field) or '', '[^,]+')
end

-- Adds this job to the person's open sends, or takes it out: `is_open` says which.
local function asked(prefix, subject, id, is_open)
  if subject == '' or subject == '~' then return end
  local key, field = asked_place(prefix, subject)
  local before, ids = redis.call('HGET', key, field) or '', {}
  if is_open then ids[1] = id end
  if before ~= id then
    for other in string.gmatch(before, '[^,]+') do
      if other ~= id and #ids < MOST_ASKED then ids[#ids + 1] = other end
    end
  end
  if #ids == 0 then redis.call('HDEL', key, field) else redis.call('HSET', key, field, table.concat(ids, ',')) end
end

local function is_of(operation, job)
  return job and string.sub(job, 1, #operation + 1) == operation .. ' '
end

-- The send of this operation that the person's next one would come on top of, or nil: one that is not settled, or whose OTP
-- went out since somebody looked. `judged`: whom that look had seen, `,id,id,`.
local function pending_send(prefix, subject, operation, judged)
  for id in asked_ids(prefix, subject) do
    local stored = record_fields(prefix .. 'job:' .. id, 'state', 'job') or {}
    if OPEN_STATES[stored[1]] and is_of(operation, stored[2]) then return id end
  end
  for id in string.gmatch(redis.call('GET', prefix .. 'sent:' .. subject) or '', '%d+ ([^,]+)') do
    if not string.find(judged, ',' .. id .. ',', 1, true) then
      local stored = record_fields(prefix .. 'job:' .. id, 'state', 'job', 'answered', 'result', 'operation') or {}
      local sent = stored[5] or string.find(stored[4] or '', '"otp_sent":true', 1, true)
      local is_open = stored[1] == 'succeeded' and not stored[3] and sent
      if is_open and (stored[5] == operation or is_of(operation, stored[2])) then return id end
    end
  end
end
