-- What waits in a connection behind a number; what is at or before it is removed.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  'in' or 'out'
-- ARGV[2]  the last number that arrived
-- ARGV[3]  about how many bytes at most
-- ARGV[4]  the present, in milliseconds
--
-- Returns  {the number of the first, bytes, …} or {} where there is no such connection
--@include shared/keys
--@include connections/connection

local way, most = ARGV[1], tonumber(ARGV[3])
if not is_alive(tonumber(ARGV[4])) then return {} end
local queue = base .. way
local first = tonumber(redis.call('HGET', meta, way .. 'n') or '0') - redis.call('LLEN', queue) + 1
local arrived = math.min(tonumber(ARGV[2]) - first + 1, redis.call('LLEN', queue))
if arrived > 0 then
  local bytes = 0
  for _, portion in ipairs(redis.call('LPOP', queue, int(arrived))) do bytes = bytes + #portion end
  redis.call('HINCRBY', meta, way .. 'b', int(-bytes))
  first = first + arrived
end

local answer, bytes, at = {int(first)}, 0, 0
while true do
  local portion = redis.call('LINDEX', queue, at)
  if not portion then break end
  bytes = bytes + #portion
  if bytes > most and at > 0 then break end
  answer[#answer + 1] = portion
  at = at + 1
end
return answer
