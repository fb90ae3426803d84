-- Mended rows come back into their batch, all or none: each waits again, with the values that lie in `KEYS[2]`, and is another job.
-- `repaired` of a row: how often it was mended, by the file that mends it; `code`: how it had ended. KEYS batch, staged chunks
-- → {`gone`} | {`state`, that of a batch that takes none back} | {`lost`} (the chunks) | {`before`, rows} | {`refused`, row, byte, …}
-- | {`done`, rows that came back before}
-- constants: WAITING, BATCH_OPENED, REPAIRABLE, SPENT, ENDED, OVER
local key, staged = KEYS[1], KEYS[2]
local state = redis.call('HGET', key, 'state')
if not state then return {'gone'} end
if OVER[state] then return {'state', state} end

-- Whether the row's job, or onboarding, says still, or again, something else than the row: then what it says is to be written first.
local function goes_on(own)
  for _, kind in ipairs({'job:', 'onboarding:'}) do
    local stored = record_fields(prefix .. kind .. own, 'state')
    if stored and stored[1] and not SPENT[stored[1]] then return true end
  end
end

local function drop_failed(job)
  local record = prefix .. 'job:' .. job
  if (record_fields(record, 'state') or {})[1] ~= 'failed' then return end
  redis.call('ZREM', prefix .. 'failed', job)
  schedule_reaper(prefix, job, '')
  redis.call('UNLINK', record)
end

local states = redis.call('GET', key .. ':states') or ''
local fresh, refused, before = {}, {'refused'}, 0
for i = 1, ROWS do
  row(i)
  local byte = string.sub(states, at, at)
  local run, stands = run_of(key, at)
  if stands > repaired then before = before + 1
  elseif stands < repaired or not REPAIRABLE[byte] or goes_on(row_job(id, at, run)) then
    refused[#refused + 1] = at
    refused[#refused + 1] = stands < repaired and '' or byte
  else fresh[#fresh + 1] = i end
end
if #refused > 1 then return refused end
if #fresh == 0 then return {'before', before} end
if redis.call('HLEN', staged) ~= 2 * chunks then return {'lost'} end
local pieces = redis.call('HGETALL', staged)
for i = 1, #pieces, 2 do
  local kind, chunk = string.match(pieces[i], '^(%a+):(.+)$')
  redis.call('HSET', key .. ':' .. kind, chunk, pieces[i + 1])
end
redis.call('UNLINK', staged)
local deltas = {}
for _, i in ipairs(fresh) do
  row(i)
  local run = run_of(key, at)
  local own = row_job(id, at, run)
  drop_failed(own)
  local stored = record_fields(prefix .. 'onboarding:' .. own, 'job')
  if stored and stored[1] then drop_failed(stored[1]) end
  local byte = string.sub(states, at, at)
  count_why(key, byte, code, -1, '')
  move_row(key, tonumber(at), byte, WAITING, deltas)
  -- `packRerun`: its person may be asked again as often as of any other.
  redis.call('HSET', key .. ':again', at, number(repaired + 1) .. ' ' .. number(run - repaired) .. ' 0 ' .. place)
end
write_counts(key, deltas)
for i, count in ipairs(counts_of(key)) do
  local field = 'since:' .. ROW_BYTES_ALL[i]
  local since = tonumber(redis.call('HGET', key, field) or '0')
  -- What is over is judged anew; else as if these rows had not ended.
  if ENDED[state] or since > tonumber(count or '0') then redis.call('HSET', key, field, count or '0') end
end
redis.call('HINCRBY', key, 'repairs', 1)
redis.call('HSET', key, 'updated', now)
if ENDED[state] then
  redis.call('HSET', key, 'state', 'running', 'reason', '')
  redis.call('HDEL', key, 'ended')
end
keep_for(key, '')
local known_as = redis.call('HGET', key, 'as')
if known_as then redis.call('PERSIST', prefix .. known_as) end
open_batch(prefix, key, id, created)
audit(prefix, entry)
append_to(prefix .. 'parents', id .. ' ' .. BATCH_OPENED .. ' b:' .. id .. ':1')
return {'done', before}
