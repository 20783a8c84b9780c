-- Removes the beginning of a chain, up to an entry that it holds.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the number of the last entry to remove
-- ARGV[2]  its hash
-- ARGV[3]  the statement that allows it, opaque
--
-- Returns  how many entries it removed, or -1 where the chain does not hold that entry, or ends with it
--@include shared/keys
--@include audit/chain

local seq = head()
local reached = redis.call('HGET', meta, 'base_seq') or '0'
if tonumber(ARGV[1]) <= tonumber(reached) then return 0 end
if tonumber(ARGV[1]) >= tonumber(seq) or hash_at(ARGV[1]) ~= ARGV[2] then return -1 end
local removed = redis.call('XTRIM', log, 'MINID', int(tonumber(ARGV[1]) + 1) .. '-0')
redis.call('HSET', meta, 'base_seq', ARGV[1], 'base_hash', ARGV[2], 'trim', ARGV[3])
redis.call('HINCRBY', meta, 'count', -removed)
return removed
