-- Changes the body, the limits, the end and whether a key is refused.
--
-- KEYS[1]  <base>meta
-- ARGV[n]  the first 14 fields of the key, in the order of FIELDS; the version is the one that is replaced
--
-- Returns  {'stored', version}, {'conflict', version} or {'not_found', 0}
--@include shared/keys
--@include keys/key

local key = load_key()
if not key or key.id ~= ARGV[1] then return {'not_found', '0'} end
if key.version ~= ARGV[3] then return {'conflict', key.version} end
for i = 4, 14 do redis.call('HSET', meta, FIELDS[i], ARGV[i]) end
local version = int(tonumber(key.version) + 1)
redis.call('HSET', meta, 'version', version)
return {'stored', version}
