-- The journal's first half, before a request is written: opens the next attempt of each job, if the gate lets it through.
-- `floor_every`: the calls after which the next is for a bulk job. KEYS records; each has its row.
-- constants: BROKEN_MS, IN_TICKET_MS
-- `ticket`: the one that carries the job, '' where its own entry in the queue does.
-- → for each {`missing`} | {`no-record`} | {`broken`, fields, open} | {`settled`, state} | {`expired`, job, its state} | {`early`, until}
-- | {`blocked`, cause, until, detail} | {`forgotten`} | {`open`, open, attempt JSON, job, input, spent}
-- | {`run`, lines: open, ref, due, scarce, ends, wait, `probe` (it tries for all) or '', spent, job, input}
-- | {`elsewhere`} (another ticket, or its own entry, carries it) | {`behind`, until} (the gate is closed: not looked at)
-- | {`fault`, message}
local person = {cooldown = cooldown_ms, most = otp_max, span = otp_span}
local g, done = open_gate(prefix, bull), {}

-- A generated id takes two more characters for the number of the attempt; its last four make room past 1,295 attempts. That of a
-- batch's row, `BATCH-ROW`, has none to spare: from there on each attempt has a fresh one.
local DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
local function base36(n, width)
  if n < 36 then return string.rep('0', width - 1) .. string.sub(DIGITS, n + 1, n + 1) end
  local text = ''
  for _ = 1, width do
    local digit = n % 36
    text = string.sub(DIGITS, digit + 1, digit + 1) .. text
    n = (n - digit) / 36
  end
  return text
end

local function reference(job, n)
  if job.ref == '+' then
    if n < 1296 then return id .. base36(n, 2) end
    if not string.find(id, '-', 1, true) then return string.sub(id, 1, 14) .. base36(n, 6) end
  end
  if job.ref ~= '~' and job.ref ~= '+' then return job.ref end
  redis.call('SET', prefix .. 'ref:' .. fresh, id, 'PX', retention)
  return fresh
end

-- One text, because a client reads ten at three times the price; what others may have garbled comes last.
local function taken(open, ref, due_at, scarce, ends, wait, probe, spent, text, input)
  return {'run', table.concat({open, ref, due_at, scarce, ends, wait, probe, spent, text, input or ''}, '\n')}
end

-- An attempt was opened and never closed.
local function resume_open(key, open, count, text, input, spent, due_at)
  local attempt = redis.call('HGET', key, 'attempt:' .. count)
  -- What became of it, its worker finds out.
  if open ~= count .. ' ' .. stamp .. now then return {'open', open, attempt, text, input, spent} end
  -- This very step, sent again because its answer was cut off: its attempt is open, and its permit is old, to be given back for another.
  local ref, permit = string.match(attempt, '"client_ref_id":"([^"]+)"'), string.match(attempt, '"permit":(%d+)')
  return taken(open, ref, due_at, 'scarce', permit or '', '0', '', spent, text, input)
end

-- Whether the gate lets this job through. → the permit, whether it tries for all; or nil, why not, until when, detail
local function check_gate(job)
  local control = read_control(g)
  local due = {}
  if not g.quota_only then
    local why, at, detail = stopped(g, control)
    if why then
      close_gate(g, at)
      return nil, why, at, detail
    end
    at, detail, due = scope_held(g, control, job.scopes)
    if at then return nil, 'scope', at, detail end
  end
  if not has_place(g, control, call_ms) then
    g.full = g.full or full_until(g, call_ms)
    return nil, 'busy', g.full, number(flow_limit(g, control))
  end
  local others
  if job.subject ~= '~' then
    local at
    at, others = cooldown_free(g, job.subject, id, person)
    if at > 0 then return nil, 'cooldown', at end
  end
  local permit, at, full = take_permit(g, control)
  if not permit then
    close_gate(g, at)
    return nil, 'quota', at, full
  end
  take_place(g, id, call_ms, permit.wait)
  -- Until when its call arrives at the latest: the person's next one keeps its distance from that.
  if others then remember_send(g, job.subject, id, permit.ends, others, person) end
  local till, tries_for_all = permit.next, false
  if not g.quota_only then
    tries_for_all = control.hold or control.breaker == 'open'
    take_scope_turns(g, due, hold_ms)
    till = math.max(till, take_turn(g, control, id, hold_ms, call_ms))
  end
  close_gate(g, till)
  if permit.count then count_call(g, permit.count, floor_every) end
  if job.lane == 'bulk' then bulk_called(g) end
  return permit, tries_for_all
end

local function write_wait(key, before, why, at, detail)
  if why ~= before then redis.call('HSET', key, 'since', now) end
  redis.call('HSET', key, 'state', 'waiting', 'cause', why, 'detail', detail or '', 'next', number(at), 'updated', now)
  redis.call('HDEL', key, 'reason')
  return {'blocked', why, number(at), detail or ''}
end

-- → by what the attempt is known here, and at the provider
local function write_attempt(key, job, n, has_waited, permit)
  local ref, nth = reference(job, n), number(n)
  local open = nth .. ' ' .. stamp .. now
  redis.call('HSET', key, 'attempts', nth, 'open', open, 'state', 'active', 'updated', now,
    'attempt:' .. nth, '{"client_ref_id":"' .. ref .. '","started":' .. now .. ',"permit":' .. permit .. '}')
  if has_waited then redis.call('HDEL', key, 'next', 'reason', 'cause', 'detail', 'since', 'lost') end
  return open, ref
end

-- Whether this entry of the queue carries the job. Its own may always take it over from a ticket, as soon as no call of that is
-- under way. → true; or nil and what to answer
local function carries(key, carrier, open)
  if ticket == carrier then return true end
  if ticket ~= '' then return nil, {'elsewhere'} end
  if open ~= '' and redis.call('EXISTS', bull .. carrier) == 1 then return nil, {'early', number(now + IN_TICKET_MS)} end
  redis.call('HDEL', key, 'ticket')
  return true
end

-- Whether the ticket is one of bulk's; most jobs of one moment are of the same few.
local bulk_tickets = {['']=false}
local function is_of_bulk()
  local known = bulk_tickets[ticket]
  if known == nil then
    known = string.match(ticket, '^t%-%d+b') ~= nil
    bulk_tickets[ticket] = known
  end
  return known
end

local function begin(key, i)
  row(i)
  if ticket ~= '' and g.shut then
    if is_of_bulk() then bulk_came_in_vain(g) end
    return {'behind', number(g.shut)}
  end
  local stored = found_fields(key, 'state', 'job', 'input', 'attempts', 'open', 'next', 'cause', 'spent', 'lost', 'ticket')
  if not stored then return {'no-record'} end
  local state, text, input, open, next_at, cause = stored[1], stored[2], stored[3], stored[5] or '', stored[6], stored[7]
  local spent, lost = stored[8] or '', stored[9]
  if is_of_bulk() or string.find(text or '', ' bulk ', 1, true) then bulk_came(g) end
  if not state then return {'missing'} end
  -- This very step, sent again; meanwhile somebody took its attempt for lost. Its opener knows better.
  if lost and string.match(lost, '^%d+ (.*)$') == stamp .. now then
    local attempt = redis.call('HGET', key, 'attempt:' .. string.match(lost, '^%d+'))
    return {'open', lost, attempt, text, input or '', spent}
  end
  if TERMINAL[state] and text and was_expired(key, state, now) then return {'expired', text, state} end
  if TERMINAL[state] then return {'settled', state} end
  local job, count = parse_job(text or ''), tonumber(stored[4] or 0)
  local broken = broken_fields(job, state, count, next_at)
  if broken then return {'broken', broken, open} end
  local is_carried, instead = carries(key, stored[10] or '', open)
  if not is_carried then return instead end
  local due_at = next_at or job.created
  if open ~= '' then return resume_open(key, open, count, text, input, spent, due_at) end
  -- A worker whose machine slept may not know the time yet.
  if job.expires and math.max(tonumber(now), g.now) >= job.expires then
    return {'expired', text, expire(prefix, key, id, now, retention, done, job.subject)}
  end
  -- What the gate decided is asked of it again; a wait of the job's own is kept.
  local is_of_gate = cause and (GATE_CAUSES[cause] or cause == 'scope')
  if next_at and tonumber(now) < tonumber(next_at) and not is_of_gate then return {'early', next_at} end
  local control = read_control(g)
  if g.broken then
    local detail = 'what the gate knows cannot be read (' .. g.broken .. ')'
    close_gate(g, g.now + BROKEN_MS)
    g.shut = g.now + BROKEN_MS
    return write_wait(key, cause, 'held', g.now + BROKEN_MS, detail)
  end
  if has_forgotten(control, epoch) then return {'forgotten'} end
  due_at = number(free_since(g, control, due_at))
  local permit, why, at, detail = check_gate(job)
  if not permit then
    if GATE_CAUSES[why] then
      g.shut = at
      if job.lane == 'bulk' then bulk_came_in_vain(g) end
    end
    return write_wait(key, cause, why, at, detail)
  end
  local tries_for_all = why
  local ends = number(permit.ends)
  local attempt, ref = write_attempt(key, job, count + 1, next_at or state == 'waiting', ends)
  return taken(attempt, ref, due_at, permit.scarce and 'scarce' or '', ends, number(permit.wait),
    tries_for_all and 'probe' or '', spent, text, input)
end

local control = read_control(g)
if g.quota_only and has_room_for(g, control, #KEYS) then g.loose = {} end
local replies = {}
for i, key in ipairs(KEYS) do replies[i] = attempted(begin, key, i) end
control = read_control(g)
enter_loose(g, control, floor_every)
keep_floor(g, control)
enter_places(g, control, call_ms)
tell(channel, done)
return answer(replies)
