-- One key.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
--
-- Returns  {'key', the fields in the order of FIELDS, requests in flight}, or {'unknown'}
--@include shared/keys
--@include keys/key

local key = load_key()
if not key then return {'unknown'} end
return told('key', key, tonumber(ARGV[1]))
