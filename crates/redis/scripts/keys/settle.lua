-- Replaces what is reserved for a request by what it used, and keeps what usage is to be told.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the request
-- ARGV[2]  tokens that it used
-- ARGV[3]  what it cost
-- ARGV[4]  what usage is to be told, opaque
--
-- Returns  1, or 0 where nothing is reserved
--@include shared/keys
--@include keys/key

local request = ARGV[1]
local key, held = load_key(), reserved(request)
if not key or not held then return 0 end
redis.call('HSET', meta, 'tokens', int(tonumber(key.tokens) + tonumber(ARGV[2])))
if held.spent_from == tonumber(key.spent_from) then
  local spent = math.max(tonumber(key.spent) - held.cost, 0) + tonumber(ARGV[3])
  redis.call('HSET', meta, 'spent', int(spent))
end
weigh(request, tonumber(ARGV[2]))
redis.call('ZREM', flight, request)
redis.call('HDEL', open, request)
redis.call('HSET', base .. 'unposted', request, ARGV[4])
return 1
