-- In a Cluster the key's own node is asked: it runs the scripts that look at their clock. KEYS any. → seconds, µs
return redis_time()
