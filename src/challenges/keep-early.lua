-- Keeps a code until its send has settled, for minutes at most. KEYS record of the send or the onboarding, early. → 1, or 0: it has settled by now
-- constants: OPEN, EARLY_MS
if not OPEN[redis.call('HGET', KEYS[1], 'state')] then return 0 end
redis.call('SET', KEYS[2], sealed, 'PX', EARLY_MS)
redis.call('HSET', KEYS[1], 'early', '1')
return 1
