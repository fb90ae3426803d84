import { LuaScript } from "../../redis/script.ts";

/**
 * KEYS data keys, current, sealers, retired, prints; ARGV scope, then id, JSON and wrapping key of an offer (or empty), then the
 * id of a data key that counts as none (or empty), then the print of the wrapping key (or empty).
 * → `taken`, id, JSON, sealer number | `none` | `retired` | `other`. Whoever comes second gets the key of the first. A sealer number
 * has 32 bits: a key that handed out all of them gets a successor.
 */
export const TAKE = new LuaScript(`
local scope, id, json, by = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local current = redis.call('HGET', KEYS[2], scope)
if current == ARGV[5] then current = false end
local stored = current and redis.call('HGET', KEYS[1], current)
if stored then
  local number = redis.call('HINCRBY', KEYS[3], current, 1)
  if number <= 4294967295 then return {'taken', current, stored, tostring(number)} end
end
if id == '' then return {'none'} end
if redis.call('HEXISTS', KEYS[4], by) == 1 then return {'retired'} end
if ARGV[6] ~= '' then
  local print = redis.call('HGET', KEYS[5], by)
  if print and print ~= ARGV[6] then return {'other'} end
  if not print then redis.call('HSET', KEYS[5], by, ARGV[6]) end
end
redis.call('HSET', KEYS[1], id, json)
redis.call('HSET', KEYS[2], scope, id)
redis.call('HSET', KEYS[3], id, 1)
return {'taken', id, json, '1'}
`);

/** KEYS data keys, retired, prints; ARGV id, wrapped, wrapping key, wrapped before, its print or ''. → `done` | `changed` | `retired` | `other` */
export const REWRAP = new LuaScript(`
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local ok, key = pcall(cjson.decode, stored or '')
if not ok or key.wrapped ~= ARGV[4] then return 'changed' end
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 1 then return 'retired' end
if ARGV[5] ~= '' then
  local print = redis.call('HGET', KEYS[3], ARGV[3])
  if print and print ~= ARGV[5] then return 'other' end
  if not print then redis.call('HSET', KEYS[3], ARGV[3], ARGV[5]) end
end
key.wrapped = ARGV[2]
key.by = ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(key))
return 'done'
`);

const FORGET_CURRENT = `
local function forgetCurrent(key, ids)
  local all, count = redis.call('HGETALL', key), 0
  for index = 1, #all, 2 do
    if ids[all[index + 1]] then
      redis.call('HDEL', key, all[index])
      count = count + 1
    end
  end
  return count
end
local channel = table.remove(ARGV, 1)
local ids = {}
for _, id in ipairs(ARGV) do ids[id] = true end
`;

/** KEYS prints; ARGV wrapping key, print. Who has proved to have it says it first. */
export const PROVED = new LuaScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
`);

/** KEYS current; ARGV channel, ids… → how many were current */
export const CLOSE = new LuaScript(`${FORGET_CURRENT}
local count = forgetCurrent(KEYS[1], ids)
redis.call('PUBLISH', channel, 'closed ' .. table.concat(ARGV, ' '))
return count
`);

/** KEYS data keys, current, sealers; ARGV channel, ids… → how many there were */
export const DESTROY = new LuaScript(`${FORGET_CURRENT}
forgetCurrent(KEYS[2], ids)
local count = 0
for _, id in ipairs(ARGV) do
  count = count + redis.call('HDEL', KEYS[1], id)
  redis.call('HDEL', KEYS[3], id)
end
redis.call('PUBLISH', channel, 'destroyed ' .. table.concat(ARGV, ' '))
return count
`);

/** KEYS data keys, retired; ARGV wrapping key, now. → how many need it; 0: it is retired */
export const RETIRE = new LuaScript(`
local count = 0
for _, stored in ipairs(redis.call('HVALS', KEYS[1])) do
  local ok, key = pcall(cjson.decode, stored)
  if ok and key.by == ARGV[1] then count = count + 1 end
end
if count == 0 then redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) end
return count
`);
