-- Lets a connection go.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the node that holds it
-- ARGV[2]  the present, in milliseconds
--
-- Returns  1 where the node held it
--@include shared/keys
--@include connections/connection

if not is_alive(tonumber(ARGV[2])) or redis.call('HGET', meta, 'node') ~= ARGV[1] then return 0 end
redis.call('HDEL', meta, 'node')
return 1
