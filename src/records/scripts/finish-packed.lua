-- The journal's second half for jobs that end with their first attempt: what is kept of such a job is written at once as it will
-- stand for as long as it is kept, if nobody but its opener touched the record. KEYS records; each has its row.
-- → for each {`done`} | {`missing`} | {`plain`}: nothing was done, finish.lua has to | {`fault`, message}
-- constants: OPENED_FIELDS
local g, done, left, due, due_no_more = open_gate(prefix, bull), {}, {}, {}, {}

local SAID_BY_PIECES = {'job', 'updated', 'open', 'attempts', 'attempt:1', 'ticket'}
local SEALED_TOO = {'input', unpack(SAID_BY_PIECES)}

local function tell_gate_well()
  local control = read_control(g)
  if g.broken then return end
  call_went_well(g, control, id, scopes, call_took(open, now))
  if not g.quota_only then changed(g) end
end

-- This very step, sent again because its answer was cut off, has been taken already.
local function was_taken(key)
  local stored = redis.call('HMGET', key, '1', '2', '3', '4')
  return stored[1] == piece_1 and (stored[2] or '') == piece_2 and (stored[3] or '') == piece_3 and (stored[4] or '') == piece_4
end

local function write_packed(key)
  local fields = {'state', state, '1', piece_1}
  set(fields, '2', piece_2)
  set(fields, '3', piece_3)
  set(fields, '4', piece_4)
  set(fields, 'operation', operation)
  redis.call('HDEL', key, unpack(keeps_input and SAID_BY_PIECES or SEALED_TOO))
  redis.call('HSET', key, unpack(fields))
end

local function finish(key, i)
  row(i)
  local stored = record_fields(key, 'open', 'ticket', 'parent', 'early')
  if not stored then
    left[#left + 1] = id
    park_no_record(prefix, key, id, now, retention, done)
    return {'missing'}
  end
  if stored[1] ~= open then return {was_taken(key) and 'done' or 'plain'} end
  if stored[3] or stored[4] then return {'plain'} end
  -- Whatever else is in it has still to be told.
  if redis.call('HLEN', key) ~= OPENED_FIELDS + (stored[2] and 1 or 0) then return {'plain'} end
  left[#left + 1] = id
  if is_well then tell_gate_well() end
  if subject ~= '' and not sent then forget_send(g, subject, id) end
  audit(prefix, entry)
  write_packed(key)
  settled(prefix, key, state, id, now, retention, done, subject)
  if look_at == '' then due_no_more[#due_no_more + 1] = id
  else
    due[#due + 1] = look_at
    due[#due + 1] = id
  end
  if answers ~= '' and state == 'succeeded' then close_challenge(prefix, answers, id) end
  return {'done'}
end

local replies = {}
for i, key in ipairs(KEYS) do replies[i] = attempted(finish, key, i) end
if #due > 0 then redis.call('ZADD', prefix .. 'due', unpack(due)) end
if #due_no_more > 0 then redis.call('ZREM', prefix .. 'due', unpack(due_no_more)) end
leave_places(g, read_control(g), left)
tell(channel, done)
return replies
