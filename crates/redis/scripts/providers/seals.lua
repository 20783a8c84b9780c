-- Which keys the settings of the providers of a pool are sealed with.
--
-- KEYS[1]  <base>meta
--
-- Returns  {provider, key, …}
--@include shared/keys
--@include providers/pool

local seals = {}
for _, id in ipairs(redis.call('ZRANGE', order, 0, -1)) do
  local key = redis.call('HGET', provider_key(id), 'seal')
  if key then
    seals[#seals + 1] = id
    seals[#seals + 1] = key
  end
end
return seals
