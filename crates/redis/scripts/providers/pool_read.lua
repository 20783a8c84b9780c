-- A pool with its providers, or with one of them.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  the provider; empty for all
--
-- Returns  {revision, settings, {id, version of its credential or '', fields of the provider…}, …}; empty where there is no pool
--@include shared/keys
--@include providers/pool

local pool = redis.call('HMGET', meta, 'rev', 'set')
if not pool[1] then return {} end
shed(tonumber(ARGV[1]))
local rows = {pool[1], pool[2]}
local members = ARGV[2] == '' and redis.call('ZRANGE', order, 0, -1) or {ARGV[2]}
for _, id in ipairs(members) do
  local row = redis.call('HGETALL', provider_key(id))
  if #row > 0 then rows[#rows + 1] = {id, redis.call('HGET', base .. 't:' .. id, 'v') or '', unpack(row)} end
end
return rows
