-- Where the jobs of rows stand. Each row is one job's id.
-- → for each {`missing`} | {an open state, attempts, why it waits, the ticket that carries it} | {state, attempts, reason, result, the last attempt's JSON, updated}
local answers = {}
for i = 1, ROWS do
  row(i)
  local key = prefix .. 'job:' .. id
  local stored = record_fields(key, 'state', 'attempts', 'reason', 'result', 'updated', 'cause', 'ticket')
  if not stored or not stored[1] then answers[i] = {'missing'}
  elseif not TERMINAL[stored[1]] then answers[i] = {stored[1], stored[2] or '0', stored[6] or '', stored[7] or ''}
  else
    local attempt = redis.call('HGET', key, 'attempt:' .. (stored[2] or '0'))
    answers[i] = {stored[1], stored[2] or '0', stored[3] or '', stored[4] or '', attempt or '', stored[5] or ''}
  end
end
return answers
