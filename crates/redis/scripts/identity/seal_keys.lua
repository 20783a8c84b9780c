-- The keys that records of users are sealed with.
--
-- KEYS[1]  <base>meta
--
-- Returns  {key, …}, as often as it is used
--@include shared/keys

return redis.call('HVALS', base .. 'useal')
