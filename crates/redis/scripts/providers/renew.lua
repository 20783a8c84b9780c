-- Keeps uses from ending by themselves. What is over stays over.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  when they end, in milliseconds
-- ARGV[3…] uses
--
-- Returns  how many there were
--@include shared/keys
--@include providers/pool

local count, now = 0, tonumber(ARGV[1])
for i = 3, #ARGV do
  local until_ms = redis.call('ZSCORE', ends, ARGV[i])
  if until_ms and tonumber(until_ms) > now then
    redis.call('ZADD', ends, ARGV[2], ARGV[i])
    count = count + 1
  end
end
return count
