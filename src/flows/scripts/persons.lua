-- Whom an onboarding of no batch is about. `persons`: the beginning of the keys of one flow (`batch:persons:NAME:`), hashes in which a
-- row of a batch stands under its person, and an onboarding under `o:` and its person. Two ages of them are looked at, so that a person
-- is remembered as long as a record is, and no longer than twice that.
-- constants: FREES_PERSON

-- → the job of the row that had this person last, the onboarding; false for none
local function persons_at(prefix, persons, age, shard, person)
  local found = redis.call('HMGET', prefix .. persons .. number(age) .. ':' .. shard, person, 'o:' .. person)
  return found[1], found[2]
end

local function claim_person(prefix, persons, age, shard, person, self, keep_ms)
  local key = prefix .. persons .. number(age) .. ':' .. shard
  redis.call('HSET', key, person, self)
  redis.call('PEXPIRE', key, keep_ms)
end

-- Which of these onboardings may still be called, or was with success: it has its person; nil: none.
local function who_has_person(prefix, newer, older)
  for _, id in ipairs({newer or older, older}) do
    local state = id and redis.call('HGET', prefix .. 'onboarding:' .. id, 'state')
    if state and not FREES_PERSON[state] then return id end
  end
end

local function claim_for_onboarding(prefix, persons, age, shard, person, id, keep_ms)
  claim_person(prefix, persons, age, shard, 'o:' .. person, id, keep_ms)
end
