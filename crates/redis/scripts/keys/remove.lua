-- Removes a key with what it has in hand.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the id
-- ARGV[2]  the encoded namespace
--
-- Returns  'removed', 'absent', or 'unposted' where usage may lack something: that is to be posted first
--@include shared/keys
--@include keys/key

local key = load_key()
if not key or key.id ~= ARGV[1] or key.ns ~= ARGV[2] then return 'absent' end
if redis.call('EXISTS', base .. 'unposted') == 1 then return 'unposted' end
redis.call('DEL', meta, open, flight, minute, weight)
return 'removed'
