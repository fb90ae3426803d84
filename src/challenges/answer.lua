-- Who verifies a code, and whether. `hash`: keyed, of the code; `deadline`, `now`: ms; `verify_name`: its verify's id without
-- its number; `onboarding`: id of the one whose code it is, or ''. KEYS send's record
-- → {`go`, verify} | {`same`, verify} | {`busy`, verify} | {`replaced`, send} | {`answered`} | {`state`, state} | {`late`} | {`tries`}
-- | {`over`, state} (the onboarding awaits no code of this send) | {`missing`}
-- constants: MOST_TRIES, OPEN, BEGUN_MS
find_record(KEYS[1])
local stored = redis.call('HMGET', KEYS[1], 'state', 'answered', 'codes', 'replaced')
if not stored[1] then return {'missing'} end
if stored[4] then return {'replaced', stored[4]} end
local codes, used, last, at = stored[3] or '', 0, nil, nil
for known, verify, begun in string.gmatch(codes, '([^, ]+) (%S+) (%d+)') do
  last, at, used = verify, tonumber(begun), used + 1
  if known == hash then
    find_record(prefix .. 'job:' .. verify)
    local state = redis.call('HGET', prefix .. 'job:' .. verify, 'state')
    -- One that came to no answer may be given again.
    if state ~= 'failed' and state ~= 'expired' and state ~= 'cancelled' then return {'same', verify} end
  end
end
if stored[2] then return {'answered'} end
if onboarding ~= '' then
  local asks = redis.call('HMGET', prefix .. 'onboarding:' .. onboarding, 'state', 'job')
  if asks[1] ~= 'awaiting_otp' or prefix .. 'job:' .. asks[2] ~= KEYS[1] then return {'over', asks[1] or 'gone'} end
end
if stored[1] ~= 'succeeded' then return {'state', stored[1]} end
if tonumber(now) >= tonumber(deadline) then return {'late'} end
if last then
  local state = redis.call('HGET', prefix .. 'job:' .. last, 'state')
  -- Begun and without a record: another process is at it, or was killed there.
  if OPEN[state] or (not state and tonumber(now) - at < BEGUN_MS) then return {'busy', last} end
end
if used >= MOST_TRIES then return {'tries'} end
local verify = verify_name .. (used + 1)
redis.call('HSET', KEYS[1], 'codes', (codes == '' and '' or codes .. ',') .. hash .. ' ' .. verify .. ' ' .. now)
return {'go', verify}
