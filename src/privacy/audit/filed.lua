-- KEYS head, writer. → 1 if it still had the folder
if redis.call('GET', KEYS[2]) ~= token then return 0 end
redis.call('SET', KEYS[2], token, 'PX', ms)
redis.call('HSET', KEYS[1], 'filed:' .. folder, id .. ' ' .. number(clock()))
return 1
