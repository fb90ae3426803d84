-- Who has a person: a row of a batch, or an onboarding of none.
-- constants: FREEING

-- Whether the row of this job may still be called, or was with success. One that runs again holds no more whom it was about before.
local function row_has(prefix, job, self)
  local id, at, run = string.match(job, '^(.+)-(%d+)r?(%d*)$')
  local state = id and redis.call('HGET', batch_key(prefix, id), 'state')
  -- What somebody only begins to submit, or never came to the end of, holds nobody back but in its own file.
  local counts = state and (state ~= 'checking' or id == string.match(self, '^(.+)-%d+$'))
  local byte = counts and row_byte(batch_key(prefix, id), tonumber(at)) or ''
  return byte ~= '' and not FREEING[byte]
    and run_of(batch_key(prefix, id), at) == (run == '' and '0' or run)
end

-- The job of another row than `self`, or `o:` and the onboarding; nil: nobody.
local function holder_of(prefix, persons, age, shard, person, self)
  local row, onboarding = persons_at(prefix, persons, age, shard, person)
  local older_row, older = persons_at(prefix, persons, age - 1, shard, person)
  row = row or older_row
  if row and row ~= self and row_has(prefix, row, self) then return row end
  onboarding = who_has_person(prefix, onboarding, older)
  return onboarding and 'o:' .. onboarding
end
