-- Ends sessions of a user.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the user
-- ARGV[2]  'one' for ARGV[3] alone, 'all' for all but it
-- ARGV[3]  the id of a session, or empty
--
-- Returns  how many ended
--@include shared/keys
--@include identity/state

local user = ARGV[1]
local token = redis.call('HGET', base .. 'ids:' .. user, ARGV[3])
if ARGV[2] == 'all' then return end_sessions(user, token) end
if not token then return 0 end
local there = redis.call('EXISTS', session_key(token))
forget_session(user, token)
redis.call('HDEL', base .. 'ids:' .. user, ARGV[3])
return there
