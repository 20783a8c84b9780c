-- Records an acknowledgement; the first one stands. Marks the message as read.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the encoded recipient
-- ARGV[3]  the acknowledgement, opaque
-- ARGV[4]  the present, in milliseconds
-- ARGV[5]  an epoch, should the namespace have none
--
-- Returns  {'not_found'} {'not_recipient'} {'stands', epoch, row, 1 where an earlier one stands}
--@include shared/keys
--@include mail/messages
--@include mail/rows

local off = find_alive(ARGV[1], tonumber(ARGV[4]))
if not off then return {'not_found'} end
local name, key = ARGV[2], message_key(off)
local read = redis.call('HGET', key, 'r:' .. name)
if not read then return {'not_recipient'} end

local already = redis.call('HSETNX', key, 'a:' .. name, ARGV[3]) == 0
if not already then
  if read == '0' then
    redis.call('HSET', key, 'r:' .. name, ARGV[4])
    redis.call('HINCRBY', key, 'nr', 1)
    redis.call('ZREM', base .. 'unread:' .. name, off)
  end
  redis.call('ZREM', base .. 'pend:' .. name, off)
  local na = redis.call('HINCRBY', key, 'na', 1)
  if na >= tonumber(redis.call('HGET', key, 'n')) then redis.call('ZREM', base .. 'pending', off) end
end
return {'stands', epoch_of(ARGV[5]), row_of(off, name, false), already and 1 or 0}
