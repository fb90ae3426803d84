import type { RedisClient } from "../redis/connection.ts";
import { BULK_PRIORITY, BULK_VERIFY_PRIORITY, bullmqPrefix, queuePrefix, type QueueName } from "../queues/names.ts";
import { LuaScript } from "../redis/script.ts";
import { stopsCredential, WAIT_CAUSES } from "../outcomes/wait-cause.ts";

/** Verifies and jobs that a closed gate put back stand before older ones: so many places of each lane are looked at. */
const LOOKED_AT = 256;
/** BullMQ's score of a prioritized job is its priority times this, plus a counter; put back, the counter is 0. */
const PRIORITY_SCALE = 2 ** 32;

const GATE_CAUSES = WAIT_CAUSES.filter(stopsCredential).map((cause) => `['${cause}']=1`);

/**
 * KEYS wait, prioritized; ARGV BullMQ's prefix, ours. → the age of the oldest in ms, '' with none
 *
 * `wait` is taken from its tail: first verifies and what was put back, in no order of age, then the others, oldest first.
 * Behind the places that are looked at one by one, farther and farther ones are tried, so that of a longer heap of
 * verifies the oldest job behind it is not missed by much.
 */
const OLDEST = new LuaScript(`
local GATE = {${GATE_CAUSES.join(", ")}}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local oldest
-- A wait that was the job's own (cooldown, backoff) and is over: it could run only since then. One for the gate goes on.
local function look(id)
  local since = tonumber(redis.call('HGET', ARGV[1] .. id, 'timestamp'))
  local record = redis.pcall('HMGET', ARGV[2] .. 'job:' .. string.sub(id, 3), 'next', 'cause')
  local own = tonumber(record[1])
  if own and not GATE[record[2]] and own <= now then since = math.max(since or own, own) end
  if since and (not oldest or since < oldest) then oldest = since end
end
local function look_at(ids) for _, id in ipairs(ids) do look(id) end end
look_at(redis.call('LRANGE', KEYS[1], -${LOOKED_AT}, -1))
local length, depth = redis.call('LLEN', KEYS[1]), ${2 * LOOKED_AT}
while depth < length do
  look(redis.call('LINDEX', KEYS[1], -depth))
  depth = depth * 2
end
if length > ${LOOKED_AT} then look(redis.call('LINDEX', KEYS[1], 0)) end
for _, priority in ipairs({${BULK_VERIFY_PRIORITY}, ${BULK_PRIORITY}}) do
  local first, last = priority * ${PRIORITY_SCALE}, '(' .. string.format('%.0f', (priority + 1) * ${PRIORITY_SCALE})
  first = string.format('%.0f', first)
  look_at(redis.call('ZRANGEBYSCORE', KEYS[2], first, first, 'LIMIT', 0, ${LOOKED_AT}))
  look_at(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. first, last, 'LIMIT', 0, 1))
end
return oldest and string.format('%.0f', math.max(0, now - oldest)) or ''
`);

/** Since when the oldest job of a queue could run and does not, in ms by Redis' clock; null: none waits in line. */
export async function oldestWaitingMs(redis: RedisClient, queue: QueueName): Promise<number | null> {
  const base = bullmqPrefix(queue);
  const keys = [`${base}wait`, `${base}prioritized`];
  const age = (await OLDEST.run(redis, keys, [base, queuePrefix(queue)])) as string;
  return age === "" ? null : Number(age);
}
