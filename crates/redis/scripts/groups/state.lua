-- How a group stands beside the stream, and what the stream does not say of it.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  held events looked at, at most
-- ARGV[4]  bytes looked at to count what was not delivered, at most, about
-- ARGV[5]  consumers that hold nothing and were idle for longer than this, in milliseconds, are not named
--
-- Returns  {delivered, lag, 1 where it may be more, held, the longest idleness or -1, dead, lost, {consumer, holds, …}} or
--          {} where there is no such group
--@include shared/keys
--@include events/log
--@include groups/work

-- Those given back were delivered in 1970, so to speak.
local GIVEN_BACK_MS = 315360000000

local said
if redis.call('EXISTS', stream) == 0 then return {} end
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local words = named(row)
  if words.name == group then said = words end
end
if not said then return {} end

-- Redis before 7 does not keep the number, no Redis does after a removal from the middle, and where it does, it counts for
-- ever what was trimmed before anybody took it. So it is asked for what is too much to count.
local log, lag, open = stand(), 0, 0
if not log.first or before(said['last-delivered-id'], log.first) then
  lag = log.length
elseif before(said['last-delivered-id'], log.last) then
  local CHUNK, bytes, from = 100, 0, said['last-delivered-id']
  while true do
    local entries = redis.call('XRANGE', stream, '(' .. from, '+', 'COUNT', CHUNK)
    lag = lag + #entries
    for _, entry in ipairs(entries) do
      for _, text in ipairs(entry[2]) do bytes = bytes + string.len(text) end
      from = entry[1]
    end
    if #entries < CHUNK then break end
    if bytes > tonumber(ARGV[4]) then
      if type(said.lag) == 'number' then
        lag = math.max(lag, math.min(said.lag, log.length))
      else
        open = 1
      end
      break
    end
  end
end

local now, longest, holds = clock(), -1, {}
local function look_at(consumer, idle)
  if idle < GIVEN_BACK_MS then longest = math.max(longest, idle) end
end
for _, row in ipairs(redis.call('XPENDING', stream, group, '-', '+', ARGV[3])) do look_at(row[2], row[3]) end
local revived_rows = redis.call('ZRANGE', backs, 0, tonumber(ARGV[3]) - 1, 'WITHSCORES')
for i = 1, #revived_rows, 2 do
  local consumer = revived(revived_rows[i])
  if consumer ~= '' then
    look_at(consumer, now - tonumber(revived_rows[i + 1]))
    holds[consumer] = (holds[consumer] or 0) + 1
  end
end

local consumers = {}
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local words = named(row)
  local count = words.pending + (holds[words.name] or 0)
  if count > 0 or words.idle <= tonumber(ARGV[5]) then
    consumers[#consumers + 1] = words.name
    consumers[#consumers + 1] = int(count)
  end
  holds[words.name] = nil
end
-- Redis knows nothing of who holds revived events alone.
for name, count in pairs(holds) do
  consumers[#consumers + 1] = name
  consumers[#consumers + 1] = int(count)
end
local lost = redis.call('HGET', groups, 'lost:' .. tag) or '0'
local in_hands = said.pending + redis.call('ZCARD', backs)
return {said['last-delivered-id'], lag, open, in_hands, longest, redis.call('ZCARD', deads), lost, consumers}
