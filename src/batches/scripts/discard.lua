-- What came in of a batch goes, if it never became one. KEYS batch
local key = KEYS[1]
if redis.call('HGET', key, 'state') ~= 'checking' then return end
redis.call('UNLINK', key, key .. ':states', key .. ':in', key .. ':columns', key .. ':out')
