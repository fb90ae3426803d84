-- The one place that asks Redis for its time: a test has another client, which sends something else in place of TIME.

-- Seconds, and the µs beyond them.
local function redis_time()
  return redis.call('TIME')
end

-- ms.
local function clock()
  local time = redis_time()
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua writes a great number with an exponent. The jobs of one moment have most of theirs in common, and Redis takes longer to write
-- a number than to find its text.
local texts = {}
local function number(value)
  local text = texts[value]
  if not text then
    text = string.format('%.0f', value)
    texts[value] = text
  end
  return text
end
