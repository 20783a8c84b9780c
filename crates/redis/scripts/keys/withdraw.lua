-- Takes an admission back.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the request
--
-- Returns  1, or 0 where nothing is reserved
--@include shared/keys
--@include keys/key

local request = ARGV[1]
local key, held = load_key(), reserved(request)
if not key or not held then return 0 end
if held.bonus == 1 then
  redis.call('HSET', meta, 'bonus_used', int(math.max(tonumber(key.bonus_used) - 1, 0)))
elseif held.day == tonumber(key.day) then
  redis.call('HSET', meta, 'today', int(math.max(tonumber(key.today) - 1, 0)))
end
if held.spent_from == tonumber(key.spent_from) then
  redis.call('HSET', meta, 'spent', int(math.max(tonumber(key.spent) - held.cost, 0)))
end
redis.call('HSET', meta, 'requests', int(math.max(tonumber(key.requests) - 1, 0)))
weigh(request, 0)
redis.call('HDEL', weight, request)
redis.call('ZREM', minute, request)
redis.call('ZREM', flight, request)
redis.call('HDEL', open, request)
return 1
