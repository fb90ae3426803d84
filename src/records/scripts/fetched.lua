-- In front of begin.lua: which job a fetch of BullMQ's has just put into hand, by the token of its lock. That stands in the only row in
-- place of the id. KEYS the list of what is in hand, newest first. → {}: nothing, or an entry that is not a job's own
-- constants: NEWEST
local fetched
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, NEWEST - 1)) do
  if redis.call('GET', ARGV[2] .. entry .. ':lock') == ARGV[#ARGV - 3] then fetched = string.match(entry, '^j%-(.+)$') end
end
if not fetched then return {} end
KEYS[1], ARGV[#ARGV - 3] = ARGV[1] .. 'job:' .. fetched, fetched
