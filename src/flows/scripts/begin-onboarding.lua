-- A new onboarding. KEYS onboarding
-- → `created` | `duplicate` | `conflict`
local known = known_onboarding(KEYS[1], digest)
if known then return known end
write_onboarding(prefix, KEYS[1], id, digest, terms, input, step, job, parent, now, look_at)
return 'created'
