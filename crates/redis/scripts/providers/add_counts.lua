-- Adds to counters what a node counted while the store was away. Counts that are added again are recognised by their memo.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now keep_ms
-- ARGV[2]  the memo
-- ARGV[3…] five for each provider: its id, requests, errors, when it was chosen last or empty, when it failed last or empty
--
-- Returns  1, or 0 where there is no such pool
--@include shared/keys
--@include providers/pool

local p = cjson.decode(ARGV[1])
local counted = base .. 'counted'
if redis.call('EXISTS', meta) == 0 then return 0 end
redis.call('ZREMRANGEBYSCORE', counted, '-inf', int(p.now - p.keep_ms))
if redis.call('ZADD', counted, 'NX', int(p.now), ARGV[2]) == 0 then return 1 end
redis.call('PEXPIRE', counted, int(p.keep_ms))

local function move_on(key, field, at)
  local known = tonumber(redis.call('HGET', key, field) or '')
  if at ~= '' and (not known or known < tonumber(at)) then redis.call('HSET', key, field, at) end
end

for i = 3, #ARGV, 5 do
  local key = provider_key(ARGV[i])
  if redis.call('HEXISTS', key, 'ver') == 1 then
    local known = tonumber(redis.call('HGET', key, 'rq') or 0)
    redis.call('HINCRBY', key, 'rq', int(math.max(tonumber(ARGV[i + 1]), -known)))
    redis.call('HINCRBY', key, 'er', ARGV[i + 2])
    move_on(key, 'ua', ARGV[i + 3])
    move_on(key, 'fa', ARGV[i + 4])
  end
end
return 1
