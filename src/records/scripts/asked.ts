/** No more of one person's are remembered: another is refused the person by the gate's limit long before. */
const MOST = 8;

/**
 * Lua: which sends of a person are not settled. `asked:XX`, XX the first two characters of the subject, is a hash: the rest of
 * the subject → `id,id,…`, newest first. So many small hashes, because a key for each would cost thrice the memory; an entry
 * goes with the end of its job.
 */
export const ASKED_LUA = `
-- These fields of a record; nil where its key holds something else than a hash.
local function record_fields(key, ...)
  local r = redis.pcall('HMGET', key, ...)
  if not r.err then return r end
  if string.find(r.err, 'WRONGTYPE', 1, true) then return nil end
  error(r.err, 0)
end

local function asked_place(P, subject)
  return P .. 'asked:' .. string.sub(subject, 1, 2), string.sub(subject, 3)
end

local function asked_ids(P, subject)
  local key, field = asked_place(P, subject)
  return string.gmatch(redis.call('HGET', key, field) or '', '[^,]+')
end

-- Of this person: \`isOpen\` says whether this job is among them from now on.
local function asked(P, subject, id, isOpen)
  if subject == '' or subject == '~' then return end
  local ids = {}
  if isOpen then ids[1] = id end
  for other in asked_ids(P, subject) do
    if other ~= id and #ids < ${MOST} then ids[#ids + 1] = other end
  end
  local key, field = asked_place(P, subject)
  if #ids == 0 then redis.call('HDEL', key, field) else redis.call('HSET', key, field, table.concat(ids, ',')) end
end

local function is_of(operation, job)
  return job and string.sub(job, 1, #operation + 1) == operation .. ' '
end

-- The send of this operation that the person's next one would come on top of, or nil: one that is not settled, or whose OTP
-- went out since somebody looked. \`judged\`: whom that look had seen, \`,id,id,\`.
local function pending_send(P, subject, operation, judged)
  for id in asked_ids(P, subject) do
    local r = record_fields(P .. 'job:' .. id, 'state', 'job') or {}
    if (r[1] == 'queued' or r[1] == 'active' or r[1] == 'waiting') and is_of(operation, r[2]) then return id end
  end
  for id in string.gmatch(redis.call('GET', P .. 'sent:' .. subject) or '', '%d+ ([^,]+)') do
    if not string.find(judged, ',' .. id .. ',', 1, true) then
      local r = record_fields(P .. 'job:' .. id, 'state', 'job', 'answered', 'result') or {}
      local sent = r[1] == 'succeeded' and not r[3] and string.find(r[4] or '', '"otp_sent":true', 1, true)
      if sent and is_of(operation, r[2]) then return id end
    end
  end
end
`;
