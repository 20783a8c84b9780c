-- Keeps a connection, unless it is there.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  its public id, opaque
-- ARGV[2]  whose it is, opaque
-- ARGV[3]  what was negotiated, opaque
-- ARGV[4]  the node that holds it, or empty
-- ARGV[5]  the time that it lasts, in milliseconds
-- ARGV[6]  the present, in milliseconds
--
-- Returns  1, or 0 where it was there
--@include shared/keys
--@include connections/connection

local now = tonumber(ARGV[6])
if is_alive(now) then return 0 end
remove()
redis.call('HSET', meta, 'id', ARGV[1], 'own', ARGV[2], 'details', ARGV[3], 'ends', int(now + tonumber(ARGV[5])))
if ARGV[4] ~= '' then redis.call('HSET', meta, 'node', ARGV[4]) end
keep_till_end(now)
return 1
