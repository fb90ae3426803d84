-- In front of begin.lua: which job a fetch of BullMQ's has just put into hand, by the token of its lock. That stands in the only row in
-- place of the id. A fetch whose answer was cut off is sent again, and brings another entry under the same token: the newest is what
-- came. KEYS the list of what is in hand, newest first. → {id, what begin.lua answers for it}; {}: nothing, or an entry that is not
-- a job's own
-- constants: NEWEST
local fetched
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, NEWEST - 1)) do
  if redis.call('GET', ARGV[2] .. entry .. ':lock') == ARGV[#ARGV - 3] then
    fetched = string.match(entry, '^j%-(.+)$')
    break
  end
end
if not fetched then return {} end
KEYS[1], ARGV[#ARGV - 3] = ARGV[1] .. 'job:' .. fetched, fetched

local function answer(replies)
  return {fetched, replies[1]}
end
