-- The journal's second half for jobs that end with their first attempt: what is kept of such a job is written at once as it will
-- stand for as long as it is kept, if nobody but its opener touched the record. KEYS records; each has its row: `kind` is what the
-- ends of one moment have in common, so that it is read once (`endKind`); `pieces` what the fields `1`, `2`, … hold, a NUL between.
-- → for each {`done`, '', `corrected` (it was taken for lost before) or ''} | {`missing`} | {`plain`}: nothing was done, finish.lua has to |
-- {`fault`, message}
-- constants: OPENED_FIELDS
local g, done, left, due, due_no_more = open_gate(prefix, bull), {}, {}, {}, {}

local SAID_BY_PIECES = {'job', 'updated', 'open', 'attempts', 'attempt:1', 'ticket'}
local SEALED_TOO = {'input', unpack(SAID_BY_PIECES)}

local function tell_gate_well(id, scopes)
  local control = read_control(g)
  if g.broken then return end
  call_went_well(g, control, id, scopes, call_took(open, now))
  if not g.quota_only then changed(g) end
end

local NAMES = {'1', '2', '3', '4'}

local function packed_fields()
  if not string.find(pieces, '\0', 1, true) then return {'1', pieces} end
  local fields = {}
  for piece in string.gmatch(pieces, '%Z+') do set(fields, NAMES[#fields / 2 + 1], piece) end
  return fields
end

-- This very step, sent again because its answer was cut off, has been taken already: by this script, or by finish.lua, and packed since.
local function was_taken(key)
  local fields = packed_fields()
  for n = 1, #fields, 2 do
    if redis.call('HGET', key, fields[n]) ~= fields[n + 1] then return false end
  end
  return redis.call('HEXISTS', key, NAMES[#fields / 2 + 1] or '5') == 0
end

local function write_packed(key, how)
  local fields = packed_fields()
  set(fields, 'state', how.state)
  set(fields, 'operation', how.operation)
  redis.call('HDEL', key, unpack(how.keeps_input and SAID_BY_PIECES or SEALED_TOO))
  redis.call('HSET', key, unpack(fields))
end

local kinds = {}
local function kind_of(text)
  local known = kinds[text]
  if known then return known end
  local state, operation, answers, is_well, sent, keeps_input, scopes = string.match(text, '^(%S+) (%S+) (%S+) (%d)(%d)(%d) ?(.*)$')
  known = {state = state, operation = operation == '~' and '' or operation, answers = answers ~= '~' and answers or nil,
    is_well = is_well == '1', sent = sent == '1', keeps_input = keeps_input == '1', scopes = scopes}
  kinds[text] = known
  return known
end

local function finish(key, i)
  row(i)
  local id = string.sub(key, #prefix + 5)
  local stored = record_fields(key, 'open', 'ticket', 'parent', 'early')
  if not stored then
    left[#left + 1] = id
    park_no_record(prefix, key, id, now, retention, done)
    return {'missing'}
  end
  if stored[1] ~= open then
    if not was_taken(key) then return {'plain'} end
    return {'done', '', redis.call('GET', prefix .. 'corrected:' .. id) == open and 'corrected' or ''}
  end
  if stored[3] or stored[4] then return {'plain'} end
  -- Whatever else is in it has still to be told.
  if redis.call('HLEN', key) ~= OPENED_FIELDS + (stored[2] and 1 or 0) then return {'plain'} end
  left[#left + 1] = id
  local how = kind_of(kind)
  if how.is_well then tell_gate_well(id, how.scopes) end
  if subject ~= '' and not how.sent then forget_send(g, subject, id) end
  audit(prefix, entry)
  write_packed(key, how)
  settled(prefix, key, how.state, id, now, retention, done, subject)
  if look_at == '' then due_no_more[#due_no_more + 1] = id
  else
    due[#due + 1] = look_at
    due[#due + 1] = id
  end
  if how.answers and how.state == 'succeeded' then close_challenge(prefix, how.answers, id) end
  return {'done'}
end

local replies = {}
for i, key in ipairs(KEYS) do replies[i] = attempted(finish, key, i) end
if #due > 0 then redis.call('ZADD', prefix .. 'due', unpack(due)) end
if #due_no_more > 0 then redis.call('ZREM', prefix .. 'due', unpack(due_no_more)) end
leave_places(g, read_control(g), left)
tell(channel, done)
return replies
