-- Makes a key.
--
-- KEYS[1]  <base>meta
-- ARGV[n]  the fields of the key, in the order of FIELDS
--
-- Returns  the version; or 'exists' where the secret is that of another key
--@include shared/keys
--@include keys/key

local key = load_key()
if key then
  local same = key.id == ARGV[1] and key.ns == ARGV[2] and key.created == ARGV[15]
  return same and key.version or 'exists'
end
for i, name in ipairs(FIELDS) do redis.call('HSET', meta, name, ARGV[i]) end
return ARGV[3]
