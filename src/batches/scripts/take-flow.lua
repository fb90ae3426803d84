-- Rows begin their flow, each with its onboarding. KEYS batch → as `take_rows`
local function next_row(n)
  row(n)
  return at, run, shard, person
end

local function write(self)
  local onboarding = prefix .. 'onboarding:' .. self
  local known = known_onboarding(onboarding, digest)
  if not known then
    write_onboarding(prefix, onboarding, self, digest, terms, input, step, job, 'b:' .. id .. ':' .. at, now, look_at)
  end
  return known ~= 'conflict'
end

return take_rows(prefix, KEYS[1], id, epoch, now, {of=persons, age=age, keep_ms=keep_ms}, ROWS, next_row, write)
