-- Appends; → false where this key takes no entries: it holds something else, or an entry of the greatest id.
local function appended(key, text)
  local added = redis.pcall('XADD', key, '*', 'e', text)
  if type(added) ~= 'table' then return true end
  if string.find(added.err, 'WRONGTYPE', 1, true) or string.find(added.err, 'exhausted', 1, true) then return false end
  error(added.err, 0)
end

-- For a step that must not fail because of it: where somebody put something else in the stream's place, the entry goes into
-- a second one, in whose place nothing of anybody else's is spared.
local function append_to(key, text)
  local aside = key .. ':aside'
  if appended(key, text) or appended(aside, text) then return end
  redis.call('UNLINK', aside)
  redis.call('XADD', aside, '*', 'e', text)
end
