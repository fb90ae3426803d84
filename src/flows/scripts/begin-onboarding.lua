-- A new onboarding. Of no batch, it has its person from now on, if no other has that began before. KEYS onboarding
-- → `created` | `duplicate` | `conflict`
local known = known_onboarding(KEYS[1], digest)
-- This very step, sent again because its answer was cut off: nothing is ever sealed twice alike.
if known == 'duplicate' and redis.call('HGET', KEYS[1], 'input') == input then return 'created' end
if known then return known end
write_onboarding(prefix, KEYS[1], id, digest, terms, input, step, job, parent, now, look_at)
if parent == '' and person ~= '' then
  local _, newer = persons_at(prefix, persons, age, shard, person)
  local _, older = persons_at(prefix, persons, age - 1, shard, person)
  if not who_has_person(prefix, newer, older) then claim_for_onboarding(prefix, persons, age, shard, person, id, keep_ms) end
end
return 'created'
