-- Why nothing of a batch is handed over though it goes on; '' = it is again. KEYS batch → `fenced` | `gone` | `done`
if not is_feeder(prefix, epoch) then return 'fenced' end
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
if obstacle == '' then redis.call('HDEL', KEYS[1], 'obstacle') else redis.call('HSET', KEYS[1], 'obstacle', obstacle) end
return 'done'
