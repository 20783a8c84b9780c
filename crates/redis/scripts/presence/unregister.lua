-- Ends a registration, unless another run holds the name.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded instance
-- ARGV[2]  the run that ends, or empty for any
-- ARGV[3]  channel of the wake-ups
-- ARGV[4]  the encoded namespace
--
-- Returns  1 where it ended one
--@include shared/keys
--@include presence/instances

if not redis.call('ZSCORE', base .. 'beat', ARGV[1]) then return 0 end
local run = redis.call('HGET', base .. 'run', ARGV[1])
if ARGV[2] ~= '' and run ~= ARGV[2] then return 0 end
forget(ARGV[1])
redis.call('PUBLISH', ARGV[3], 'p ' .. ARGV[4])
return 1
