-- Reads events behind a place, oldest first.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  an epoch for a log that has none
-- ARGV[2]  the life that the place belongs to; '' to read from the oldest
-- ARGV[3]  the place
-- ARGV[4]  events at most
-- ARGV[5]  bytes at most, about; the first event is returned whatever its size
--
-- Returns  {epoch, '' or 'trimmed' or 'new_epoch', where to go on, 1 if there is more, {{id, {field, value, …}}, …}}
--@include shared/keys
--@include events/log

local CHUNK = 50
local log = look(ARGV[1])
local after, gap = ARGV[3], ''
if ARGV[2] == '' then
  after = '0-0'
elseif ARGV[2] ~= log.epoch then
  gap = 'new_epoch'
elseif before(log.last, after) then
  -- The store has lost what it gave.
  gap = 'trimmed'
elseif not is_whole_behind(log, after) then
  gap = 'trimmed'
end
if gap ~= '' then after = '0-0' end

local limit, most = tonumber(ARGV[4]), tonumber(ARGV[5])
local rows, bytes, more = {}, 0, 0
local from = after
while more == 0 do
  local chunk = redis.call('XRANGE', stream, '(' .. from, '+', 'COUNT', CHUNK)
  for _, entry in ipairs(chunk) do
    for _, text in ipairs(entry[2]) do bytes = bytes + string.len(text) end
    if #rows == limit or (bytes > most and #rows > 0) then
      more = 1
      break
    end
    rows[#rows + 1] = entry
    from = entry[1]
  end
  if #chunk < CHUNK then break end
end
local next_place = from
if #rows == 0 and (gap ~= '' or ARGV[2] == '') then next_place = log.last end
return {log.epoch, gap, next_place, more, rows}
