-- For the journal's steps. `prefix`: of the queue (`limitsPrefix`); `text`: as `auditText` makes it, or '' for nothing.
local function audit(prefix, text)
  if text ~= '' then redis.call('XADD', prefix .. 'audit', '*', 'e', text) end
end
