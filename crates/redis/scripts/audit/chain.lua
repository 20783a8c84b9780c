-- A chain: the hash meta (seq, hash, count, base_seq, base_hash, trim, noted) and the stream log, whose ids are the
-- numbers of the entries with the fields h (hash) and b (body). Neither ever expires.

local log = base .. 'log'
local GENESIS = string.rep('0', 64)

local function head()
  local at = redis.call('HMGET', meta, 'seq', 'hash')
  return at[1] or '0', at[2] or GENESIS
end

local function hash_at(seq)
  local found = redis.call('XRANGE', log, seq .. '-0', seq .. '-0')
  return found[1] and found[1][2][2]
end
