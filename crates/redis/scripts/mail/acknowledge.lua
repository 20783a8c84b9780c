-- Records an acknowledgement; the first one stands. Marks the message as read.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the encoded recipient
-- ARGV[3]  the acknowledgement, opaque
-- ARGV[4]  the present, in milliseconds
-- ARGV[5]  an epoch, should the namespace have none
-- ARGV[6]  channel of the wake-ups
-- ARGV[7]  the encoded namespace
--
-- Returns  {'not_found'} {'not_recipient'} {'stands', epoch, row, 1 where an earlier one stands}
--@include shared/keys
--@include mail/messages
--@include mail/deliveries
--@include mail/rows

local off = find_alive(ARGV[1], tonumber(ARGV[4]))
if not off then return {'not_found'} end
local name, key = ARGV[2], message_key(off)
local read = redis.call('HGET', key, 'r:' .. name)
if not read then return {'not_recipient'} end

-- The same acknowledgement once more is a repetition of the call that gave it, not a second one.
local standing = redis.call('HGET', key, 'a:' .. name)
local already = standing and standing ~= ARGV[3]
if not standing then
  redis.call('HSET', key, 'a:' .. name, ARGV[3])
  local until_ms = redis.call('HGET', meta, 'horizon')
  if read == '0' then
    redis.call('HSET', key, 'r:' .. name, ARGV[4])
    redis.call('HINCRBY', key, 'nr', 1)
    redis.call('ZREM', base .. 'unread:' .. name, off)
  end
  wait_no_more(name, off, until_ms)
  local na = redis.call('HINCRBY', key, 'na', 1)
  if na >= tonumber(redis.call('HGET', key, 'n')) then
    redis.call('ZREM', base .. 'pending', off)
    index('idle', off, off, until_ms)
  end
  changed_inboxes[name] = true
  wake(ARGV[6], ARGV[7])
end
return {'stands', epoch_of(ARGV[5]), row_of(off, name, false), already and 1 or 0}
