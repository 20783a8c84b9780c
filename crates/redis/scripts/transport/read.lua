-- How the publishers of a namespace choose their transport.
--
-- KEYS[1]  <base>meta, a hash: doc (opaque), version, at, by
--
-- Returns  {doc, version, at, by}, or nothing where it was never set
--@include shared/keys

local found = redis.call('HMGET', base .. 'meta', 'doc', 'version', 'at', 'by')
if not found[1] then return {} end
return found
