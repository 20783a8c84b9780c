-- Holds a connection at a node, or renews that.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the node
-- ARGV[2]  the node that it is taken from, or empty
-- ARGV[3]  the time that it lasts, in milliseconds
-- ARGV[4]  the present, in milliseconds
-- ARGV[5]  channel of the wake-ups
-- ARGV[6]  what to publish there
--
-- Returns  {'held' or 'elsewhere', id, whose, details, node} {'unknown'}
--@include shared/keys
--@include connections/connection

local node, now = ARGV[1], tonumber(ARGV[4])
if not is_alive(now) then return {'unknown'} end
local holder = redis.call('HGET', meta, 'node')
if holder and holder ~= node and holder ~= ARGV[2] then return {'elsewhere', record()} end
redis.call('HSET', meta, 'node', node, 'ends', int(now + tonumber(ARGV[3])))
keep_till_end(now)
if holder ~= node then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return {'held', record()}
