import { LuaScript } from "../../redis/script.ts";

const CLOCK = `
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
`;

/** KEYS head; ARGV id for a new chain → {now, fields…} */
export const READ = new LuaScript(`${CLOCK}
redis.call('HSETNX', KEYS[1], 'chain', ARGV[1])
return {string.format('%.0f', clock()), unpack(redis.call('HGETALL', KEYS[1]))}
`);

/**
 * The one step that makes the log longer: only from where its caller saw it end, so that any number may try at once.
 * KEYS head, log; ARGV seq, hash, key id, ms, new hash, n, n times (queue, last id), number
 * of lines, lines. → `done` | `moved` | `key` | `headless`
 */
export const EXTEND = new LuaScript(`
local r = redis.call('HMGET', KEYS[1], 'seq', 'hash', 'key')
if r[3] and r[3] ~= ARGV[3] then return 'key' end
if (r[1] or '0') ~= ARGV[1] or (r[2] or '') ~= ARGV[2] then return 'moved' end
if not r[1] and redis.call('EXISTS', KEYS[2]) == 1 then return 'headless' end
local last = 6 + 2 * tonumber(ARGV[6])
local seq = string.format('%.0f', tonumber(ARGV[1]) + tonumber(ARGV[last + 1]))
redis.call('XADD', KEYS[2], ARGV[4] .. '-' .. seq, 'l', ARGV[last + 2], 'n', ARGV[last + 1])
redis.call('HSET', KEYS[1], 'seq', seq, 'hash', ARGV[5], 'key', ARGV[3], 'at', ARGV[4])
for i = 7, last, 2 do redis.call('HSET', KEYS[1], 'from:' .. ARGV[i], ARGV[i + 1]) end
return 'done'
`);

/** KEYS head, log; ARGV first id to stay, seq and hash of the one before. → how many were removed */
export const TRIM = new LuaScript(`
if tonumber(redis.call('HGET', KEYS[1], 'floor_seq') or '0') >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'floor_seq', ARGV[2], 'floor_hash', ARGV[3])
return redis.call('XTRIM', KEYS[2], 'MINID', '=', ARGV[1])
`);

/** The last lines, in batches, with the head of the same moment. KEYS head, log; ARGV count → {{newest batch…}, now, fields…} */
export const TAIL = new LuaScript(`${CLOCK}
local batches, lines, from = {}, 0, '+'
while lines < tonumber(ARGV[1]) do
  local batch = redis.call('XREVRANGE', KEYS[2], from, '-', 'COUNT', 1)[1]
  if not batch then break end
  batches[#batches + 1] = batch
  lines = lines + (tonumber(batch[2][4]) or 1)
  from = '(' .. batch[1]
end
return {batches, string.format('%.0f', clock()), unpack(redis.call('HGETALL', KEYS[1]))}
`);

/** KEYS writer; ARGV token, ms → 1 for whoever has the folder now */
export const LEASE = new LuaScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** KEYS head, writer; ARGV token, ms, folder, stream id → 1 if it still had the folder */
export const FILED = new LuaScript(`${CLOCK}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[1], 'filed:' .. ARGV[3], ARGV[4] .. ' ' .. string.format('%.0f', clock()))
return 1
`);

/** KEYS writer; ARGV token */
export const RELEASE = new LuaScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`);

/** KEYS head; ARGV the key id it has, the new one → 1, or 0 where it has another one */
export const REKEY = new LuaScript(`
if redis.call('HGET', KEYS[1], 'key') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'key', ARGV[2])
return 1
`);
