-- Marks messages as read.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded recipient
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  channel of the wake-ups
-- ARGV[4]  the encoded namespace
-- ARGV[5…] encoded ids
--
-- Returns  how many were unread
--@include shared/keys
--@include mail/messages

local marked = 0
for i = 5, #ARGV do
  local off = find_alive(ARGV[i], tonumber(ARGV[2]))
  -- What has left the inbox, or is settled, is not unread and is passed over.
  if off and redis.call('ZREM', base .. 'unread:' .. ARGV[1], off) == 1 then
    redis.call('HSET', message_key(off), 'r:' .. ARGV[1], ARGV[2])
    redis.call('HINCRBY', message_key(off), 'nr', 1)
    marked = marked + 1
    changed_inboxes[ARGV[1]] = true
  end
end
wake(ARGV[3], ARGV[4])
return marked
