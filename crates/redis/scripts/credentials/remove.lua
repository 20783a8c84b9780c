-- Removes a credential.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded provider
-- ARGV[2]  channel of the wake-ups
-- ARGV[3]  the encoded namespace and pool
--
-- Returns  1 where there was one
--@include shared/keys
--@include credentials/state

local gone = forget_credential(ARGV[1])
if gone == 1 then redis.call('PUBLISH', ARGV[2], 'v ' .. ARGV[3]) end
return gone
