-- Credentials of a pool that are to be refreshed by now and may be. A pool is bounded, and so is what is looked at.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  how many of them at most
--
-- Returns  {provider, version, when it was to be refreshed, …}
--@include shared/keys
--@include credentials/state

local now, most, due = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for _, provider in ipairs(redis.call('ZRANGEBYSCORE', base .. 'tdue', '-inf', ARGV[1])) do
  if #due >= 3 * most then break end
  local row = redis.call('HMGET', credential_key(provider), 'v', 'ref', 'until', 'nb')
  local later = function(at) return at and at ~= '' and tonumber(at) > now end
  if row[1] and not later(row[3]) and not later(row[4]) then
    due[#due + 1] = provider
    due[#due + 1] = row[1]
    due[#due + 1] = row[2]
  end
end
return due
