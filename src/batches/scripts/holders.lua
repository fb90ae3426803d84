-- Who has each of these persons, as one that came in now would find it; nothing is changed. KEYS a batch's, whichever
-- → for each the job of a row, `o:` and an onboarding, or ''
local holders = {}
for i = 1, ROWS do
  row(i)
  holders[i] = holder_of(prefix, persons, age, shard, person, '') or ''
end
return holders
