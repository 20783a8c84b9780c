-- Replaces a user where the version is the expected one, and ends sessions in the same step.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the user
-- ARGV[2]  the expected version
-- ARGV[3]  the new record, opaque
-- ARGV[4]  the key that something in the record is sealed with, or empty
-- ARGV[5]  which sessions end: 'none', 'all', or 'rotate' for all but ARGV[6]
-- ARGV[6]  the id of the session that stays
-- ARGV[7]  the digest of its new token
--
-- Returns  {'replaced', version} {'conflict'} {'not_found'}
--@include shared/keys
--@include identity/state

local user = ARGV[1]
local version = redis.call('HGET', base .. 'uver', user)
if not version then return {'not_found'} end
if version ~= ARGV[2] then return {'conflict'} end

if ARGV[5] == 'rotate' then
  local old = redis.call('HGET', base .. 'ids:' .. user, ARGV[6])
  if not old or redis.call('EXISTS', session_key(old)) == 0 then return {'not_found'} end
  end_sessions(user, old)
  local began = redis.call('ZSCORE', base .. 'live:' .. user, old)
  redis.call('RENAME', session_key(old), session_key(ARGV[7]))
  redis.call('ZREM', base .. 'live:' .. user, old)
  redis.call('ZADD', base .. 'live:' .. user, began, ARGV[7])
  redis.call('HSET', base .. 'ids:' .. user, ARGV[6], ARGV[7])
elseif ARGV[5] == 'all' then
  end_sessions(user, nil)
end

redis.call('HSET', base .. 'users', user, ARGV[3])
if ARGV[4] == '' then
  redis.call('HDEL', base .. 'useal', user)
else
  redis.call('HSET', base .. 'useal', user, ARGV[4])
end
redis.call('HINCRBY', base .. 'uver', user, 1)
return {'replaced', redis.call('HGET', base .. 'uver', user)}
