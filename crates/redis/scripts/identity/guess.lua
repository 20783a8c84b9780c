-- Counts a guess at a secret of an account, or says that the account is locked.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the digest of the account's name
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  guesses before the account is locked
-- ARGV[4]  the first lock, in milliseconds
-- ARGV[5]  the longest lock, in milliseconds
-- ARGV[6]  how long guesses are remembered, in milliseconds
--
-- Returns  0, or until when the account is locked
--@include shared/keys

local key, now = base .. 'g:' .. ARGV[1], tonumber(ARGV[2])
local known = redis.call('HMGET', key, 'count', 'locked', 'forget')
local count = 0
if known[1] and tonumber(known[3]) > now then
  if tonumber(known[2]) > now then return known[2] end
  count = tonumber(known[1])
end
count = count + 1
local locked, over = now, count - tonumber(ARGV[3])
if over >= 0 then
  locked = now + math.min(tonumber(ARGV[4]) * 2 ^ math.min(over, 30), tonumber(ARGV[5]))
end
local forget = now + tonumber(ARGV[6])
redis.call('HSET', key, 'count', count, 'locked', int(locked), 'forget', int(forget))
redis.call('PEXPIREAT', key, int(forget))
return '0'
