-- Removes an API key.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the key
--
-- Returns  1 where there was one
--@include shared/keys
--@include identity/state

return forget_key(ARGV[1])
