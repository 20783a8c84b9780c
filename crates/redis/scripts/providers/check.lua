-- Records what an active check of a provider showed. It is no request, and to a circuit it is a probe.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now, and the rules (times in milliseconds, slow_after in microseconds)
-- ARGV[2]  channel of the wake-ups
-- ARGV[3]  what to publish there
-- ARGV[4]  the provider
-- ARGV[5]  the model that was asked, or empty
-- ARGV[6…] seven: what it showed (providers/showing)
--
-- Returns  {1 or 0 where there is no such provider, provider, state before, state now, reason, …}
--@include shared/keys
--@include providers/pool
--@include providers/circuit
--@include providers/showing

local p = cjson.decode(ARGV[1])
local id, told = ARGV[4], {}
local key = provider_key(id)
if redis.call('HEXISTS', key, 'ver') == 0 then return {0} end
local showing = read_showing(6)
showing.probe = true
if showing.outcome ~= 'unsent' then
  redis.call('HSET', key, 'cka', int(p.now))
  put(key, 'ckm', ARGV[5] ~= '' and ARGV[5])
end
show(id, showing, p, p.now, told)
if told.wakes then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return {1, unpack(told)}
