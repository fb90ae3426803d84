-- Puts records that nothing changes any more in as few bytes as they need. KEYS records; each has its row. `updated`, `codes`, `replaced`:
-- of what was packed (a person who answers a challenge, or asks for another OTP, changes only the last two); `pieces`: what the fields `1`,
-- `2`, … hold from then on, each with a NUL after it; `archives`: they go into the archive.
local a = new_archive(now, retention)

local function pack(key)
  local stored = redis.call('HMGET', key, 'state', 'updated', 'digest', 'answered', 'codes', 'replaced')
  -- It is another by now.
  if not TERMINAL[stored[1]] or stored[2] ~= updated or not stored[3] then return end
  if (stored[5] or '') ~= codes or (stored[6] or '') ~= replaced then return end
  local fields, n = {'state', stored[1], 'digest', stored[3]}, 0
  if stored[4] then
    fields[5] = 'answered'
    fields[6] = stored[4]
  end
  for piece in string.gmatch(pieces, '(%Z*)%z') do
    n = n + 1
    fields[#fields + 1] = n
    fields[#fields + 1] = piece
  end
  local id = string.sub(key, #prefix + 5)
  local left = archives and archived_for(a, key, id)
  local text = left and archived_text(fields)
  if not text or not archive(a, prefix, key, id, text, left) then rewrite(key, fields, redis.call('PTTL', key)) end
end

for i, key in ipairs(KEYS) do
  row(i)
  pack(key)
end
write_archive(a)
