-- Who is in which row. `persons`: the beginning of the keys of one target (`batch:persons:NAME:`); two ages of them are looked at, so
-- that a person is remembered as long as a batch is, and no longer than twice that.
-- constants: BLOCKING

-- Who has this person: the job of another row that may still be called, or was with success; nil: nobody. A row that runs
-- again holds no more whom it was about before.
local function holder_of(prefix, persons, age, shard, person, self)
  for back = 0, 1 do
    local holder = redis.call('HGET', prefix .. persons .. number(age - back) .. ':' .. shard, person)
    if holder == self then return nil end
    if holder then
      local id, at, run = string.match(holder, '^(.+)-(%d+)r?(%d*)$')
      local state = id and redis.call('HGET', batch_key(prefix, id), 'state')
      -- What somebody only begins to submit, or never came to the end of, holds nobody back but in its own file.
      local counts = state and (state ~= 'checking' or id == string.match(self, '^(.+)-%d+$'))
      if counts and BLOCKING[row_byte(batch_key(prefix, id), tonumber(at))]
        and run_of(batch_key(prefix, id), at) == (run == '' and '0' or run) then return holder end
      return nil
    end
  end
end

local function claim_person(prefix, persons, age, shard, person, self, keep_ms)
  local key = prefix .. persons .. number(age) .. ':' .. shard
  redis.call('HSET', key, person, self)
  redis.call('PEXPIRE', key, keep_ms)
end
