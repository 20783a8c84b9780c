-- Counts the mail of an instance.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded instance
--
-- Returns  {total, unread, pending}
--@include shared/keys

return {
  redis.call('ZCARD', base .. 'log:' .. ARGV[1]),
  redis.call('ZCARD', base .. 'unread:' .. ARGV[1]),
  redis.call('ZCARD', base .. 'pend:' .. ARGV[1]),
}
