-- Removes a user with every session.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the user
--
-- Returns  1 where there was one
--@include shared/keys
--@include identity/state

local user = ARGV[1]
end_sessions(user, nil)
redis.call('DEL', base .. 'live:' .. user, base .. 'ids:' .. user)
local name = redis.call('HGET', base .. 'uname', user)
if name then redis.call('HDEL', base .. 'names', name) end
for _, key in ipairs({'uver', 'uname', 'useal'}) do redis.call('HDEL', base .. key, user) end
return redis.call('HDEL', base .. 'users', user)
