-- Steps of rows' flows that are in the queue and were never called are taken out of it: whoever looks after their onboardings makes
-- them again once the batch goes on. KEYS batch; each row is one step's job, and its onboarding's id.
-- → `fenced` | for each row `done` | `no`
local answers = {}
if not is_feeder(prefix, epoch) then return 'fenced' end

local function hold()
  local record = prefix .. 'job:' .. step_job
  local stored = record_fields(record, 'state', 'open', 'attempts', 'job')
  if not stored or not OPEN_STATES[stored[1]] or stored[1] == 'active' or (stored[2] or '') ~= '' then return 'no' end
  if (tonumber(stored[3]) or 0) > 0 then return 'no' end
  asked(prefix, parse_job(stored[4] or '').subject or '', step_job, false)
  schedule_reaper(prefix, step_job, '')
  redis.call('UNLINK', record)
  redis.call('ZADD', prefix .. 'onboardings:due', 'XX', now, onboarding)
  return 'done'
end

for i = 1, ROWS do
  row(i)
  answers[i] = hold()
end
return answers
