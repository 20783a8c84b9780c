-- Makes an instance a member and delivers the newest broadcasts that are kept.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded instance
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  broadcasts to deliver at most
-- ARGV[4]  an epoch, should the namespace have none
-- ARGV[5]  channel of the wake-ups
-- ARGV[6]  the encoded namespace
--
-- Returns  {1 where it was not a member before, 1 where the namespace is to be noted}
--@include shared/keys
--@include mail/messages
--@include mail/deliveries

local DAY_MS, SEEN_STEP_MS = 86400000, 60000
local name, now = ARGV[1], tonumber(ARGV[2])
local seen = redis.call('ZSCORE', base .. 'members', name)
if seen then
  if now - tonumber(seen) >= SEEN_STEP_MS then
    redis.call('ZADD', base .. 'members', ARGV[2], name)
    redis.call('PEXPIREAT', base .. 'members', horizon(now + 30 * DAY_MS, now))
  end
  return {0, 0}
end

epoch_of(ARGV[4])
local until_ms = horizon(now + 30 * DAY_MS, now)
redis.call('ZADD', base .. 'members', ARGV[2], name)
redis.call('PEXPIREAT', base .. 'members', until_ms)
local left, rank, STEP = tonumber(ARGV[3]), 0, 1000
while left > 0 do
  local newest = redis.call('ZREVRANGE', base .. 'in:all', rank, rank + STEP - 1)
  if #newest == 0 then break end
  rank = rank + STEP
  for _, off in ipairs(newest) do
    local key = message_key(off)
    local f = redis.call('HMGET', key, 'exp', 'from', 'ts', 'req', 'settled', 'r:' .. name)
    if left > 0 and f[1] and tonumber(f[1]) > now and f[2] ~= name and not f[6] then
      redis.call('HSET', key, 'r:' .. name, '0')
      redis.call('HINCRBY', key, 'n', 1)
      deliver(name, off, f[3], f[4] == '1', f[5] == '1', until_ms)
      refresh_pending(off, f[3], until_ms)
      left = left - 1
    end
  end
end
wake(ARGV[5], ARGV[6])
return {1, unnoted()}
