import { AUDIT_LUA } from "../../privacy/audit/outbox.ts";
import { LuaScript } from "../lua.ts";

/**
 * KEYS record, due; ARGV id, deadline (ms, or ''), P, the audit log's entry or '', digest, then field/value pairs. → `created` | `duplicate` | `conflict`
 */
export const CREATE = new LuaScript(`${AUDIT_LUA}
local digest = redis.call('HGET', KEYS[1], 'digest')
if digest then
  if digest == ARGV[5] then return 'duplicate' end
  return 'conflict'
end
redis.call('HSET', KEYS[1], 'digest', unpack(ARGV, 5))
if ARGV[2] ~= '' then redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1]) end
audit(ARGV[3], ARGV[4])
return 'created'
`);
