-- Which keys the credentials of a pool are sealed with.
--
-- KEYS[1]  <base>meta
--
-- Returns  {provider, key, …}
--@include shared/keys

return redis.call('HGETALL', base .. 'tkeys')
