-- For the journal's steps. `prefix`: of the queue (`queuePrefix`); `text`: as `auditText` makes it, or '' for nothing.
-- What somebody put in the outbox's place must not cost the outcome of a call.
local function audit(prefix, text)
  if text ~= '' then append_to(prefix .. 'audit', text) end
end
