-- Rows are handed to the queue, each with its job's record. KEYS batch → as `take_rows`
local function next_row(n)
  row(n)
  return at, run, shard, person
end

local function write(self)
  local known = known_record(prefix, bull, self, digest, now)
  if not known then write_record(prefix, self, digest, job, input, now, deadline, subject, entry, 'b:' .. id .. ':' .. at, ticket) end
  return known ~= 'conflict'
end

return take_rows(prefix, KEYS[1], id, epoch, now, {of=persons, age=age, keep_ms=keep_ms}, ROWS, next_row, write)
