import { LuaScript } from "../../redis/script.ts";
import { CONTROL_LUA } from "./control-fields.ts";
import { QUOTA_LUA } from "./quota.ts";

/**
 * Of a loss windows up to this length count as full: nobody knows what was used of them in the last moments. In ms. Of the
 * longer ones it is known, but for the last second (`GateMemory`), and a day without calls would be harsher than the loss.
 */
const SHORT_WINDOW_MS = 60_000;
/** After another server took over, so long nobody gets a permit: each worker brings those that it knows of. In ms. */
const CONFIRM_MS = 300;

/**
 * What a worker watches of its gate, in one round trip. KEYS control, permits; ARGV permits later than this are wanted (ms).
 * → seconds, µs, run id of the server ('' = it does not say), epoch, quota, quota by hand, permits separated by commas, what
 * of control cannot be read ('' = all can)
 */
export const LOOK = new LuaScript(`${CONTROL_LUA}
local after, found = tonumber(ARGV[1]), {}
local time = redis.call('TIME')
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local g = open_gate(string.sub(KEYS[1], 1, -8), '')
local c = read_control(g)
local from = 0
while from >= 0 do
  local some = redis.call('LRANGE', KEYS[2], from, from + 499)
  from = #some == 500 and from + 500 or -1
  for _, permit in ipairs(some) do
    if tonumber(permit) > after then found[#found + 1] = permit else from = -1 end
  end
end
return {time[1], time[2], run, c.epoch or '', c.quota or '', c.quota_by_hand or '', table.concat(found, ','), g.broken or ''}
`);

/**
 * Brings back what this Redis forgot, whoever of the workers comes first; the others add the permits that they know of. All
 * of it may be done any number of times.
 * KEYS control, permits, BullMQ's meta; ARGV how (`first`, `lost`, `other`), fresh epoch, run id, quota of the settings, quota
 * by hand that was lost or '', known permits separated by commas (ms), pace max, pace ms. → epoch, 1 where this call brought it back
 */
export const BRING_BACK = new LuaScript(`${CONTROL_LUA}${QUOTA_LUA}
local how, run, configured, byHand = ARGV[1], ARGV[3], ARGV[4], ARGV[5]
local g = {P = string.sub(KEYS[1], 1, -8), now = clock(), control = KEYS[1]}
local there = redis.call('HMGET', KEYS[1], 'epoch', 'quota', 'run', 'lost_at')
local epoch, broughtBack, most = there[1], 0, 0
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
if (there[2] or '') == '' then
  redis.call('HSET', KEYS[1], 'quota', configured, 'quota_configured', configured)
  redis.call('HSET', KEYS[3], 'max', ARGV[7], 'duration', ARGV[8], 'opts.maxLenEvents', 1000)
end
redis.call('HSETNX', KEYS[1], 'quota_configured', configured)
-- Where another worker brought it back before, it says when; one that was just started takes the empty gate for a new one.
if how == 'lost' and (not there[1] or (there[2] or '') == '' or not there[4]) then
  broughtBack = 1
  redis.call('HSET', KEYS[1], 'lost_at', number(g.now))
  if byHand ~= '' then redis.call('HSET', KEYS[1], 'lost_quota', byHand) end
end
if run ~= '' and run ~= there[3] then
  redis.call('HSET', KEYS[1], 'run', run)
  if how == 'other' then redis.call('HSET', KEYS[1], 'confirm_until', number(g.now + ${CONFIRM_MS})) end
end

-- Each permit as often as this list or the worker has it, whichever has it more often.
local length, counts, before = redis.call('LLEN', KEYS[2]), {}, {}
for from = 0, length - 1, 500 do
  for _, permit in ipairs(redis.call('LRANGE', KEYS[2], from, from + 499)) do
    before[permit] = (before[permit] or 0) + 1
  end
end
local changes = broughtBack == 1
for permit in string.gmatch(ARGV[6], '%d+') do
  counts[permit] = (counts[permit] or 0) + 1
  if counts[permit] > (before[permit] or 0) then changes = true end
end
if changes then
  for permit, count in pairs(before) do
    if count > (counts[permit] or 0) then counts[permit] = count end
  end
  if broughtBack == 1 then
    local full = 0
    for _, w in ipairs(windows_of(g, {quota = redis.call('HGET', KEYS[1], 'quota')})) do
      if w.ms <= ${SHORT_WINDOW_MS} and w.max > full then full = w.max end
    end
    local now = number(g.now)
    if full > 0 then counts[now] = (counts[now] or 0) + full end
  end
  local all = {}
  for permit, count in pairs(counts) do
    for _ = 1, count do all[#all + 1] = permit end
  end
  table.sort(all, function(a, b) return tonumber(a) > tonumber(b) end)
  redis.call('DEL', KEYS[2])
  for from = 1, #all, 500 do redis.call('RPUSH', KEYS[2], unpack(all, from, math.min(#all, from + 499))) end
end
return {epoch, broughtBack}
`);
