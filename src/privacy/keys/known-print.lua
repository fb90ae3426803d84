-- Whether a wrapping key is the one that went by this id before (`print` '': it has none): the first one to come says which.
local function is_known(key, by, print)
  if print == '' then return true end
  local first = redis.call('HGET', key, by)
  if not first then redis.call('HSET', key, by, print) end
  return not first or first == print
end
