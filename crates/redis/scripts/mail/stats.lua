-- The mail of a namespace in numbers.
--
-- KEYS[1]  <base>meta
--
-- Returns  {messages, pending, members, {type, count, …}}
--@include shared/keys

return {
  redis.call('ZCARD', base .. 'timeline'),
  redis.call('ZCARD', base .. 'pending'),
  redis.call('ZCARD', base .. 'members'),
  redis.call('HGETALL', base .. 'types'),
}
