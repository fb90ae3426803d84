-- Records at rest that share a hash: a key of its own takes as much memory as what such a record holds. `archive:TIME` has those whose
-- ids were generated in the same 47 s (the first characters of an id are its time); once that is full `archive:TIMEx` has those whose
-- generated part ends with x; and once that is full, too, `archive:LATERx` those of the same 1.3 s. So few a second and thousands share
-- hashes that are neither small nor so large that Redis no longer keeps them in one piece.
-- An id → the first letter of its record's state, the digest, and its other fields and their values in turn, with a NUL after each. A
-- hash goes with the last of its records: so only those are put in that settled soon after they were made.
-- constants: TIME, LATER, ARCHIVE_FULL, SOON_MS, AT_REST

-- Where a record may be, in this order; empty: only generated ids, and those derived from one, are archived.
local function archive_places(prefix, id)
  local root, derived = string.match(id, '^([0-9a-z]+)(.*)$')
  if not root or #root ~= 18 or not (derived == '' or string.find(derived, '^%-[sv][%dsv-]*$')) then return {} end
  local begin, last = prefix .. 'archive:', string.sub(root, -1)
  local time = begin .. string.sub(id, 1, TIME)
  return {time, time .. last, begin .. string.sub(id, 1, LATER) .. last}
end

-- What is archived of a record with these fields; nil: it is not at rest, or not one of ours.
local function archived_text(fields)
  local state, digest, others = nil, nil, {}
  for n = 1, #fields, 2 do
    if fields[n] == 'state' then state = fields[n + 1]
    elseif fields[n] == 'digest' then digest = fields[n + 1]
    else
      others[#others + 1] = fields[n]
      others[#others + 1] = fields[n + 1]
    end
  end
  for _, known in ipairs(AT_REST) do
    if state == known and digest then return string.sub(state, 1, 1) .. digest .. '\0' .. table.concat(others, '\0') .. '\0' end
  end
end

local function archived_fields(text)
  local state, fields = nil, {}
  for _, known in ipairs(AT_REST) do
    if string.sub(known, 1, 1) == string.sub(text, 1, 1) then state = known end
  end
  for piece in string.gmatch('state\0' .. state .. '\0digest\0' .. string.sub(text, 2), '(%Z*)%z') do fields[#fields + 1] = piece end
  return fields
end

-- Gives an archived record a key of its own again. → whether it was archived
local function unarchive(key)
  local prefix, id = string.match(key, '^(.*:)job:([^:]+)$')
  if not prefix then return false end
  for _, place in ipairs(archive_places(prefix, id)) do
    local text = redis.call('HGET', place, id)
    if text then
      local left = redis.call('PTTL', place)
      redis.call('HSET', key, unpack(archived_fields(text)))
      if left > 0 then redis.call('PEXPIRE', key, left) end
      redis.call('HDEL', place, id)
      return true
    end
  end
  return false
end

-- For a step that does something with a record that is hardly ever archived.
local function find_record(key)
  if redis.call('EXISTS', key) == 0 then unarchive(key) end
end

-- What one script archives: the records' places, for how long, and the keys that they had.
local function new_archive(now, retention)
  return {now = now, retention = retention, full = {}, records = {}, left = {}, keys = {}}
end

-- The first that is not full, or the last.
local function archive_place(a, places)
  for _, place in ipairs(places) do
    if a.full[place] == nil then a.full[place] = redis.call('HLEN', place) >= ARCHIVE_FULL end
    if not a.full[place] then return place end
  end
  return places[#places]
end

-- → whether the record goes into the archive, with `write_archive`
local function archive(a, prefix, key, id)
  local places = archive_places(prefix, id)
  if #places == 0 then return false end
  local left = redis.call('PTTL', key)
  local settled_at = a.now + left - a.retention
  -- The time in an id that a caller made up is no time.
  if left <= 0 or math.abs(settled_at - tonumber(string.sub(id, 1, 8), 36)) > SOON_MS then return false end
  local text = archived_text(redis.call('HGETALL', key))
  if not text then return false end
  local place = archive_place(a, places)
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
