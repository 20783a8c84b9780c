-- Whether the settings of any provider of a pool are sealed with a key.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the key
--
-- Returns  1 or 0
--@include shared/keys
--@include providers/pool

for _, id in ipairs(redis.call('ZRANGE', order, 0, -1)) do
  if redis.call('HGET', provider_key(id), 'seal') == ARGV[1] then return 1 end
end
return 0
