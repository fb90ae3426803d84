-- Appends; → false where this key takes no entries: it holds something else, or an entry of the greatest id.
local function appended(key, text)
  local added = redis.pcall('XADD', key, '*', 'e', text)
  if type(added) ~= 'table' then return true end
  if string.find(added.err, 'WRONGTYPE', 1, true) or string.find(added.err, 'exhausted', 1, true) then return false end
  error(added.err, 0)
end

-- For the journal's steps. `prefix`: of the queue (`queuePrefix`); `text`: as `auditText` makes it, or '' for nothing.
-- What somebody put in the outbox's place must not cost the outcome of a call: the entry goes into a second one then, in
-- whose place nothing of anybody else's is spared.
local function audit(prefix, text)
  if text == '' or appended(prefix .. 'audit', text) or appended(prefix .. 'audit:aside', text) then return end
  redis.call('UNLINK', prefix .. 'audit:aside')
  redis.call('XADD', prefix .. 'audit:aside', '*', 'e', text)
end
