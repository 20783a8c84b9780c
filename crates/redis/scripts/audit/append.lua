-- Appends entries to a chain, where its head is the one that they continue.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: seq hash (the expected head) last last_hash (the last entry of this append)
-- ARGV[2]  the hash of the first entry
-- ARGV[3]  its body, opaque
-- ARGV[4…] the same for every further entry
--
-- Returns  {'appended' 'moved' 'broken', seq and hash of the head, 1 where the chain is noted}
--@include shared/keys
--@include audit/chain

local p = cjson.decode(ARGV[1])
local seq, hash = head()
local noted = redis.call('HEXISTS', meta, 'noted')
if seq ~= p.seq or hash ~= p.hash then
  -- Where the answer to an earlier attempt was lost, the last entry stands already.
  if hash_at(p.last) == p.last_hash then return {'appended', seq, hash, noted} end
  return {'moved', seq, hash, noted}
end
-- The log of a chain ends where its head says, unless somebody else wrote to it.
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
if newest[1] and newest[1][1] ~= seq .. '-0' then return {'broken', seq, hash, noted} end
local number, added = tonumber(seq), 0
for i = 2, #ARGV, 2 do
  added = added + 1
  redis.call('XADD', log, int(number + added) .. '-0', 'h', ARGV[i], 'b', ARGV[i + 1])
end
redis.call('HSET', meta, 'seq', p.last, 'hash', p.last_hash)
redis.call('HINCRBY', meta, 'count', added)
return {'appended', p.last, p.last_hash, noted}
