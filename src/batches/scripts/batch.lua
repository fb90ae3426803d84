-- What the steps of a batch share. A batch is these keys, `PREFIXbatch:ID` and, behind that, what the table says:
--
-- | key | holds |
-- | --- | --- |
-- | | hash: what was submitted, `state`, `reason`, and how many rows there are of each state, `n:BYTE` |
-- | `:states` | one byte for each row, in order (`ROW_BYTES`) |
-- | `:in` | hash: number of a chunk → its rows' inputs, sealed; gone when all have ended |
-- | `:columns` | the same of the file's own columns and references |
-- | `:out` | the same of the results of rows that ended |
-- | `:again` | hash: row that runs again → how often it was mended and its person asked again, where its newest values lie (`Rerun`) |
-- | `:awaited` | sorted set: rows whose person is awaited, by the deadline of their code |
-- | `:seats` | hash: row of these → until when an operator has it, and by which token (`seat-next.lua`) |
-- | `:why` | hash: why rows did not succeed, and how many (`why.lua`) |
--
-- Beside them, of the queue: `batch:open` and `batch:open:flows` (batches that somebody looks after) and `batch:all`, sorted sets by
-- when they came; `batch:over`, those that ended in the last hour, by when they did; `batch:epoch`, that of the feeder; `batch:decisions`, hash: what operators decided → how often (`seat-keep.lua`);
-- `batch:as:…`, which batch a content or a caller's own id is; `batch:persons:…`, hashes: whom a row, or an onboarding of no batch,
-- is about → the job of that row, or that onboarding.
-- constants: ROW_BYTES_ALL

local function batch_key(prefix, id)
  return prefix .. 'batch:' .. id
end

-- Somebody looks after it from now on. Those of a flow stand apart: a worker of the versions that knew only rows of one job finds no
-- such job, and would write down that nobody knows how they ended.
local function open_batch(prefix, key, id, created)
  local kind = redis.call('HGET', key, 'kind') == 'flow' and ':flows' or ''
  redis.call('ZADD', prefix .. 'batch:open' .. kind, created, id)
end

-- An older producer may have put one of a flow beside the others.
local function shut_batch(prefix, id)
  redis.call('ZREM', prefix .. 'batch:open', id)
  redis.call('ZREM', prefix .. 'batch:open:flows', id)
end

local function row_byte(key, at)
  return redis.call('GETRANGE', key .. ':states', at - 1, at - 1)
end

-- `deltas`: by byte; `write_counts` writes them, once for a step.
local function move_row(key, at, from, to, deltas)
  if from == to then return end
  redis.call('SETRANGE', key .. ':states', at - 1, to)
  deltas[from] = (deltas[from] or 0) - 1
  deltas[to] = (deltas[to] or 0) + 1
end

local function write_counts(key, deltas)
  for byte, by in pairs(deltas) do
    if by ~= 0 then redis.call('HINCRBY', key, 'n:' .. byte, by) end
  end
end

-- The job of a row (`rowJobId`).
local function row_job(id, at, run)
  return id .. '-' .. at .. (run == '0' and '' or 'r' .. run)
end

-- Which time it is that a row runs, as text, and how often it was mended.
local function run_of(key, at)
  local again = redis.call('HGET', key .. ':again', at)
  local repaired, asked_again = string.match(again or '0 0', '^(%d+) (%d+)')
  return tostring(math.floor(repaired + asked_again)), tonumber(repaired)
end

local function is_feeder(prefix, epoch)
  return redis.call('GET', prefix .. 'batch:epoch') == epoch
end

-- Every key of a batch stays, or goes at that time.
local function keep_for(key, ms)
  for _, name in ipairs({'', ':states', ':in', ':columns', ':out', ':again', ':awaited', ':seats', ':why'}) do
    if ms == '' then redis.call('PERSIST', key .. name) else redis.call('PEXPIRE', key .. name, ms) end
  end
end

-- → how many rows there are of each state, in the order of ROW_BYTES_ALL
local function counts_of(key)
  local names = {}
  for i, byte in ipairs(ROW_BYTES_ALL) do names[i] = 'n:' .. byte end
  return redis.call('HMGET', key, unpack(names))
end
