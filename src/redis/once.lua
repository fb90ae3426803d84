-- A step that is sent again, because its answer was cut off, is given that answer: nothing is done twice. It lies beside the first key for
-- a while, under the name that this sending of the step has ('' = none: it may be done again). An answer of '' says that nothing was done.
-- constants: ANSWER_KEPT_MS
local function once(step, work)
  if step == '' then return work() end
  local key = string.match(KEYS[1], '^[^}]*}?') .. ':answer:' .. step
  local before = redis.call('GET', key)
  if before then return cmsgpack.unpack(before) end
  local answer = work()
  if answer ~= '' then redis.call('SET', key, cmsgpack.pack(answer), 'PX', ANSWER_KEPT_MS) end
  return answer
end
