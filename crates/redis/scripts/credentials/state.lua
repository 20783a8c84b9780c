-- Credentials of a pool: each is the hash t:<provider>; tkeys leads from a provider to the key that its credential is sealed
-- with, tdue holds those that are refreshed ahead of need by when they are, and tlast is the last version. None of them
-- expires, and none outlives its provider.

local credential_fields =
  {'v', 'sealed', 'key', 'exp', 'ref', 'upd', 'fence', 'until', 'holder', 'doubt', 'fails', 'nb', 'dead'}

local function credential_key(provider)
  return base .. 't:' .. provider
end

-- The fields of a credential in their order, empty where there is nothing; nil where there is no credential.
local function credential_row(provider)
  local row = redis.call('HMGET', credential_key(provider), unpack(credential_fields))
  if not row[1] then return nil end
  for i = 1, #credential_fields do row[i] = row[i] or '' end
  return row
end

-- The next number after the last one, behind the clock: a server that lost its last second gives none twice.
local function next_number(last, now)
  return math.max(tonumber(last or '0') + 1, tonumber(now) * 1000)
end

local function forget_credential(provider)
  redis.call('HDEL', base .. 'tkeys', provider)
  redis.call('ZREM', base .. 'tdue', provider)
  return redis.call('DEL', credential_key(provider))
end
