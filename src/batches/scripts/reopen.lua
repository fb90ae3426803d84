-- A row of a batch that is over tells something else than it was, or goes on: the batch is looked after until it is over again.
-- KEYS batch → `fenced` | `gone` | `done`
if not is_feeder(prefix, epoch) then return 'fenced' end
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
keep_for(KEYS[1], '')
open_batch(prefix, KEYS[1], id, created)
return 'done'
