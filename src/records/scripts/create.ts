import { AUDIT_LUA } from "../../privacy/audit/outbox.ts";
import { LuaScript } from "../../redis/script.ts";
import { ASKED_LUA } from "./asked.ts";

/**
 * KEYS record, due; ARGV id, deadline (ms, or ''), P, the audit log's entry or '', the person who is sent an OTP or '', `reuse`
 * (not while one for that person is pending) or '', the person's sends that were looked at before (`,id,id,`), operation,
 * digest, then field/value pairs. → `created` | `duplicate` | `conflict` | `pending ID`
 */
export const CREATE = new LuaScript(`${AUDIT_LUA}${ASKED_LUA}
local P, subject = ARGV[3], ARGV[5]
local there = record_fields(KEYS[1], 'digest')
if not there then return 'conflict' end
local digest = there[1]
if digest then
  if digest == ARGV[9] then return 'duplicate' end
  return 'conflict'
end
if ARGV[6] == 'reuse' and subject ~= '' then
  local id = pending_send(P, subject, ARGV[8], ARGV[7])
  if id then return 'pending ' .. id end
end
redis.call('HSET', KEYS[1], 'digest', unpack(ARGV, 9))
if ARGV[2] ~= '' then redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1]) end
asked(P, subject, ARGV[1], true)
audit(P, ARGV[4])
return 'created'
`);
