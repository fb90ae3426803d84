-- KEYS record. Nothing happens where it holds another sealed result by now.
if redis.call('HGET', KEYS[1], 'personal') == sealed then redis.call('HDEL', KEYS[1], 'personal') end
