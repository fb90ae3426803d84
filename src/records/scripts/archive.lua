-- Records at rest that share a hash: a key of its own takes as much memory as what such a record holds. `archive:TIME` has those whose
-- ids were generated in the same 47 s (the first characters of an id are its time); once that is full `archive:TIMEx` has those whose
-- generated part ends with x; and once that is full, too, `archive:LATERx` those of the same 1.3 s. So few a second and thousands share
-- hashes that are neither small nor so large that Redis no longer keeps them in one piece.
-- An id → the first letter of its record's state, the digest, and its other fields and their values in turn, with a NUL after each. A
-- hash goes with the last of its records: so only those are put in that settled soon after they were made.
-- constants: TIME, LATER, ARCHIVE_FULL, SOON_MS, AT_REST

-- The time and the last character of a generated id, or of the one that an id is derived from; nil: it is neither, and never archived.
local function generated_part(id)
  if #id == 18 and not string.find(id, '[^0-9a-z]') then return string.sub(id, 1, LATER), string.sub(id, 18) end
  local root = string.match(id, '^([0-9a-z]+)%-[sv][%dsv-]*$')
  if root and #root == 18 then return string.sub(id, 1, LATER), string.sub(root, 18) end
end

-- Where a record may be, in this order.
local function archive_places(prefix, later, last)
  local begin = prefix .. 'archive:'
  local time = begin .. string.sub(later, 1, TIME)
  return {time, time .. last, begin .. later .. last}
end

-- Of the states at rest, their first letters.
local LETTERS = {}
for _, known in ipairs(AT_REST) do LETTERS[known] = string.sub(known, 1, 1) end

-- What is archived of a record with these fields: nothing that was sealed, and not `operation`, which is there as long as that is.
-- → nil: it is not at rest, or none of ours; otherwise also how many of those two it had, and whether codes were given
local function archived_text(fields)
  local state, digest, others, dropped, has_codes = nil, nil, {}, 0, false
  for n = 1, #fields, 2 do
    local name = fields[n]
    if name == 'state' then state = fields[n + 1]
    elseif name == 'digest' then digest = fields[n + 1]
    elseif name == 'input' or name == 'operation' then dropped = dropped + 1
    else
      others[#others + 1] = name
      others[#others + 1] = fields[n + 1]
      has_codes = has_codes or name == 'codes'
    end
  end
  local letter = digest and LETTERS[state]
  if letter then return letter .. digest .. '\0' .. table.concat(others, '\0') .. '\0', dropped, has_codes end
end

-- → nil: it was cut off, or a later version wrote it
local function archived_fields(text)
  local state, fields = nil, {}
  for known, letter in pairs(LETTERS) do
    if letter == string.sub(text, 1, 1) then state = known end
  end
  if not state or string.sub(text, -1) ~= '\0' then return nil end
  for piece in string.gmatch('state\0' .. state .. '\0digest\0' .. string.sub(text, 2), '(%Z*)%z') do fields[#fields + 1] = piece end
  if #fields % 2 == 0 then return fields end
end

-- What Redis answers; nil: the key holds something else than a hash.
local function ask_hash(...)
  local answer = redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if string.find(answer.err, 'WRONGTYPE', 1, true) then return nil end
  error(answer.err, 0)
end

-- Gives an archived record a key of its own again. → whether it was archived (nil: it is, and stays as it is, because it cannot be
-- read), whether it may have been where something else stands now
local function unarchive(key)
  local prefix, id = string.match(key, '^(.*:)job:([^:]+)$')
  local later, last = generated_part(id or '')
  if not later then return false end
  local places = archive_places(prefix, later, last)
  -- As of nearly all that are asked for: ids that were just made.
  if redis.call('EXISTS', unpack(places)) == 0 then return false end
  local may_be_lost = false
  for _, place in ipairs(places) do
    local text = ask_hash('HGET', place, id)
    if text then
      local fields, left = archived_fields(text), redis.call('PTTL', place)
      if not fields then return nil end
      redis.call('HSET', key, unpack(fields))
      if left > 0 then redis.call('PEXPIRE', key, left) end
      redis.call('HDEL', place, id)
      return true
    end
    may_be_lost = may_be_lost or text == nil
  end
  return false, may_be_lost
end

-- For a step that does something with a record that is hardly ever archived.
local function find_record(key)
  if redis.call('EXISTS', key) == 0 then unarchive(key) end
end

-- What one script archives: the records' places, for how long, and the keys that they had.
local function new_archive(now, retention)
  return {now = now, retention = retention, places = {}, full = {}, records = {}, left = {}, keys = {}}
end

-- For how long a record with this key goes into the archive: as long as by itself, or at most so much longer (SOON_MS) that nobody has to
-- ask. The time in an id that a caller made up is no time. → ms; nil: it does not
local function archived_for(a, key, id)
  local created = generated_part(id) and tonumber(string.sub(id, 1, 8), 36)
  if not created then return nil end
  if a.now >= created and a.now - created <= SOON_MS then return a.retention end
  local left = redis.call('PTTL', key)
  if left > 0 and math.abs(a.now + left - a.retention - created) <= SOON_MS then return left end
end

-- The first that is not full, or the last; many of one moment have the same. Something else than a hash stays; nil: so is the last.
local function archive_place(a, prefix, id)
  local later, last = generated_part(id)
  local places = a.places[later .. last]
  if not places then
    places = archive_places(prefix, later, last)
    a.places[later .. last] = places
  end
  for _, place in ipairs(places) do
    if a.full[place] == nil then
      local length = ask_hash('HLEN', place)
      a.full[place] = length == nil and 'foreign' or length >= ARCHIVE_FULL
    end
    if not a.full[place] then return place end
  end
  local last = places[#places]
  if a.full[last] ~= 'foreign' then return last end
end

-- Its text (`archived_text`) goes into the archive for so long (`archived_for`), with `write_archive`. → whether there is a place for it
local function archive(a, prefix, key, id, text, left)
  local place = archive_place(a, prefix, id)
  if not place then return false end
  local records = a.records[place] or {}
  records[#records + 1] = id
  records[#records + 1] = text
  a.records[place] = records
  a.left[place] = math.max(a.left[place] or 0, left)
  a.keys[#a.keys + 1] = key
  return true
end

local function write_archive(a)
  for place, records in pairs(a.records) do
    redis.call('HSET', place, unpack(records))
    if redis.call('PTTL', place) < a.left[place] then redis.call('PEXPIRE', place, a.left[place]) end
  end
  if #a.keys > 0 then redis.call('DEL', unpack(a.keys)) end
end
