-- Sets counters or health back.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the provider; empty for all
-- ARGV[2]  1 where counters are set back
-- ARGV[3]  1 where health is, and the circuit where it is not forced open
-- ARGV[4]  channel of the wake-ups
-- ARGV[5]  what to publish there
--
-- Returns  how many providers that were
--@include shared/keys
--@include providers/pool

local members = ARGV[1] == '' and redis.call('ZRANGE', order, 0, -1) or {ARGV[1]}
local count = 0
for _, id in ipairs(members) do
  local key = provider_key(id)
  if redis.call('HEXISTS', key, 'ver') == 1 then
    count = count + 1
    if ARGV[2] == '1' then redis.call('HDEL', key, 'rq', 'er', 'rf', 'ua', 'fa', 'sq') end
    if ARGV[3] == '1' then
      redis.call('HDEL', key, 'un', 'fs', 'lfa', 'lfm', 'rt', 'nr', 'cka', 'ckm')
      if redis.call('HGET', key, 'bs') ~= '3' then
        redis.call('HDEL', key, 'bs', 'br', 'bsn', 'bpa', 'mk', 'ms', 'an', 'sc', 'ak')
      end
    end
  end
end
if count > 0 then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return count
