-- Begins a session, where the user has the version that logged in.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the digest of the token
-- ARGV[2]  the user
-- ARGV[3]  the version of the user
-- ARGV[4]  the id of the session
-- ARGV[5]  when it begins, in milliseconds
-- ARGV[6]  when it ends at the latest, in milliseconds
-- ARGV[7]  the address that it is begun from, or empty
-- ARGV[8]  the program that begins it, or empty
-- ARGV[9]  sessions of the user at most
--
-- Returns  1, or 0 where the user was changed
--@include shared/keys
--@include identity/state

local token, user = ARGV[1], ARGV[2]
if redis.call('HGET', base .. 'uver', user) ~= ARGV[3] then return 0 end
redis.call('HSET', session_key(token), 'id', ARGV[4], 'user', user, 'created', ARGV[5], 'used', ARGV[5],
  'expires', ARGV[6], 'origin', ARGV[7], 'agent', ARGV[8])
redis.call('PEXPIREAT', session_key(token), ARGV[6])
redis.call('ZADD', base .. 'live:' .. user, ARGV[5], token)
redis.call('HSET', base .. 'ids:' .. user, ARGV[4], token)

-- Those that ended by themselves leave the index first, then the oldest.
for _, known in ipairs(redis.call('ZRANGE', base .. 'live:' .. user, 0, -1)) do
  if redis.call('EXISTS', session_key(known)) == 0 then redis.call('ZREM', base .. 'live:' .. user, known) end
end
local surplus = redis.call('ZCARD', base .. 'live:' .. user) - tonumber(ARGV[9])
if surplus > 0 then
  for _, oldest in ipairs(redis.call('ZRANGE', base .. 'live:' .. user, 0, surplus - 1)) do
    forget_session(user, oldest)
  end
end
-- Of the ids, those whose session is gone leave with it.
local ids = redis.call('HGETALL', base .. 'ids:' .. user)
for i = 1, #ids, 2 do
  if redis.call('EXISTS', session_key(ids[i + 1])) == 0 then redis.call('HDEL', base .. 'ids:' .. user, ids[i]) end
end
return 1
