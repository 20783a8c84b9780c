-- What is remembered under a request id.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded key of the request
-- ARGV[2]  its fingerprint
-- ARGV[3]  the present, in milliseconds
--
-- Returns  {} {'replayed', id} {'memo_mismatch'}
--@include shared/keys

local known = redis.call('HMGET', base .. 'req:' .. ARGV[1], 'fp', 'id', 'until')
if not known[1] or tonumber(known[3]) <= tonumber(ARGV[3]) then return {} end
if known[1] ~= ARGV[2] then return {'memo_mismatch'} end
return {'replayed', known[2]}
