-- An API key that has not ended; records the use where the secret is right.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the key
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  the digest of the secret that was offered, or empty where the key is only read
-- ARGV[4]  how much later than the last recorded use this one must be to be recorded, in milliseconds
--
-- Returns  {key, secret, last use or empty, record}, or nothing
--@include shared/keys
--@include identity/state

local id, now = ARGV[1], tonumber(ARGV[2])
if not is_valid(id, now) then return {} end
local secret = redis.call('HGET', base .. 'ksec', id)
local used = redis.call('HGET', base .. 'kused', id)
if ARGV[3] ~= '' and ARGV[3] == secret and (not used or now - tonumber(used) >= tonumber(ARGV[4])) then
  redis.call('HSET', base .. 'kused', id, ARGV[2])
  used = ARGV[2]
end
return {id, secret, used or '', redis.call('HGET', base .. 'keys', id)}
