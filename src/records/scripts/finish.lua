-- The journal's second half, after the reply: closes an attempt of each job, moves the job on, and tells the gate how the
-- call went. A worker that was taken for dead may still bring the true outcome of an attempt that was given up as lost:
-- truth wins. KEYS records; each has its row.
-- → for each {`stale`} | {`missing`} | {`done`, next, `corrected` (it was taken for lost before) or ''} | {`fault`, message}
-- constants: UNCHANGED, CORRECTED_KEPT_MS
local g, done, left = open_gate(prefix, bull), {}, {}

-- Tells the gate how the call went. → when the job may be tried again
local function tell_gate()
  local control, ms = read_control(g), call_took(open, now)
  local try_at = next_at
  if went == 'well' then call_went_well(g, control, id, scopes, ms)
  elseif went == 'failed' then call_failed(g, control, id)
  elseif went == 'throttled' then try_at = number(call_throttled(g, control, retry_after, ms))
  else try_at = number(call_refused(g, control, scope, why, math.min(retry_after or hold_ms, hold_ms))) end
  if went ~= 'well' or not g.quota_only then changed(g) end
  return try_at
end

local function write_end(key, n, try_at, is_open)
  local fields = {'state', state, 'updated', now, 'open', '', 'spent', spent, 'attempt:' .. n, attempt}
  set(fields, 'reason', reason)
  set(fields, 'result', result)
  set(fields, 'personal', personal)
  set(fields, 'lost', lost)
  if not TERMINAL[state] then
    set(fields, 'next', try_at)
    set(fields, 'cause', cause)
    set(fields, 'since', now)
    if not is_open then
      redis.call('PERSIST', key)
      asked(prefix, subject, id, true)
    end
  end
  -- A record with an open attempt has none of these: they went when it was opened.
  if not is_open then redis.call('HDEL', key, 'lost', 'reason', 'next', 'cause', 'detail', 'since') end
  -- The truth came: nobody has to decide any more.
  if not is_open then redis.call('ZREM', prefix .. 'unknown', id) end
  audit(prefix, entry)
  redis.call('HSET', key, unpack(fields))
  if TERMINAL[state] or not is_open then tell_parent(prefix, key, id, state) end
  if TERMINAL[state] then settled(prefix, key, state, id, now, retention, done, subject) end
  if look_at ~= UNCHANGED then schedule_reaper(prefix, id, look_at) end
  if not keeps_input then redis.call('HDEL', key, 'input') end
end

local function finish(key, i)
  row(i)
  local stored = found_fields(key, 'state', 'open', 'lost')
  if not stored then
    left[#left + 1] = id
    park_no_record(prefix, key, id, now, retention, done)
    return {'missing'}
  end
  local stands, gone = stored[1], stored[3]
  if not stands then
    left[#left + 1] = id
    return {'missing'}
  end
  local n = string.match(open, '^%d+')
  local is_open = stored[2] == open
  if not is_open and not ((stands == 'unknown' or stands == 'waiting') and (gone == open or gone == n)) then
    -- This very step, sent again because its answer was cut off, has been taken already.
    local before = redis.call('HMGET', key, 'attempt:' .. n, 'next')
    local corrected = redis.call('GET', prefix .. 'corrected:' .. id) == open
    if before[1] == attempt then return {'done', before[2] or '', corrected and 'corrected' or ''} end
    return {'stale'}
  end

  left[#left + 1] = id
  read_control(g)
  local try_at = (went == '' or g.broken) and next_at or tell_gate()
  if subject ~= '' and not sent then forget_send(g, subject, id) end
  write_end(key, n, try_at, is_open)
  if not is_open then redis.call('SET', prefix .. 'corrected:' .. id, open, 'PX', CORRECTED_KEPT_MS) end
  if answers ~= '' and state == 'succeeded' then close_challenge(prefix, answers, id) end
  return {'done', try_at, is_open and '' or 'corrected'}
end

local replies = {}
for i, key in ipairs(KEYS) do replies[i] = attempted(finish, key, i) end
leave_places(g, read_control(g), left)
tell(channel, done)
return replies
