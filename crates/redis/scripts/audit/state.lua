-- Where a chain begins and ends.
--
-- KEYS[1]  <base>meta
--
-- Returns  {} where there is no chain, else {seq, hash, count, base_seq, base_hash, trim}
--@include shared/keys
--@include audit/chain

if redis.call('EXISTS', meta) == 0 then return {} end
local seq, hash = head()
local rest = redis.call('HMGET', meta, 'count', 'base_seq', 'base_hash', 'trim')
return {seq, hash, rest[1] or '0', rest[2] or '0', rest[3] or GENESIS, rest[4] or ''}
