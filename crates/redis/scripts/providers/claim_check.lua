-- Takes the next check of a provider, where it is due and the provider is not to be left alone. The same is said in Rust, in
-- `mainstay_core::providers::pool`.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the provider
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  when the check behind this one is due
--
-- Returns  0 where it is taken, when to ask again where it is not, -1 where there is no such provider
--@include shared/keys
--@include providers/pool

local key, now, next_at = provider_key(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local f = redis.call('HMGET', key, 'ver', 'dis', 'rt', 'bs', 'bpa', 'ckc')
if not f[1] then return -1 end
if f[2] or f[4] == '3' then return next_at end
local rests = math.max(tonumber(f[3] or now), f[4] == '1' and tonumber(f[5] or now) or now)
if rests > now then return rests end
local last = f[6] and tonumber(f[6])
-- A claim from so far ahead is of a clock that was wrong.
if last and last <= next_at and last + next_at - now > now then return last + next_at - now end
redis.call('HSET', key, 'ckc', int(now))
return 0
