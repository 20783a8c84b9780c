-- The session of a token and its user, where it has not ended; records the use.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the digest of the token
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  silence after which a session has ended, in milliseconds
-- ARGV[4]  how much later than the last recorded use this one must be to be recorded, in milliseconds
--
-- Returns  {id, user, created, used, expires, origin, agent, version, record}, or nothing
--@include shared/keys
--@include identity/state

local now = tonumber(ARGV[2])
local row = live_session(ARGV[1], now, tonumber(ARGV[3]))
if not row then return {} end
local record = redis.call('HGET', base .. 'users', row[2])
if not record then return {} end
if now - tonumber(row[4]) >= tonumber(ARGV[4]) then
  redis.call('HSET', session_key(ARGV[1]), 'used', ARGV[2])
  row[4] = ARGV[2]
end
row[8] = redis.call('HGET', base .. 'uver', row[2])
row[9] = record
return row
