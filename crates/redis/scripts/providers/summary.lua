-- A pool in a list.
--
-- KEYS[1]  <base>meta
--
-- Returns  {revision, number of providers}; empty where there is no pool
--@include shared/keys

local revision = redis.call('HGET', meta, 'rev')
if not revision then return {} end
return {revision, redis.call('ZCARD', base .. 'order')}
