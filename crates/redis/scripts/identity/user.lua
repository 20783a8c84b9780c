-- A user, by id or by name.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the user, or empty
-- ARGV[2]  where ARGV[1] is empty, the encoded form of the name in which names are compared
--
-- Returns  {user, version, record}, or nothing
--@include shared/keys

local id = ARGV[1]
if id == '' then id = redis.call('HGET', base .. 'names', ARGV[2]) end
if not id then return {} end
local record = redis.call('HGET', base .. 'users', id)
if not record then return {} end
return {id, redis.call('HGET', base .. 'uver', id), record}
