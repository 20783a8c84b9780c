-- Marks messages as read.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded recipient
-- ARGV[2]  the present, in milliseconds
-- ARGV[3…] encoded ids
--
-- Returns  how many were unread
--@include shared/keys
--@include mail/messages

local marked = 0
for i = 3, #ARGV do
  local off = find_alive(ARGV[i], tonumber(ARGV[2]))
  if off and redis.call('HGET', message_key(off), 'r:' .. ARGV[1]) == '0' then
    redis.call('HSET', message_key(off), 'r:' .. ARGV[1], ARGV[2])
    redis.call('HINCRBY', message_key(off), 'nr', 1)
    marked = marked + redis.call('ZREM', base .. 'unread:' .. ARGV[1], off)
  end
end
return marked
