-- Gives the lease of a refresh to one caller. One that ended without a word leaves the credential in doubt.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded provider
-- ARGV[2]  the version that the caller has
-- ARGV[3]  who asks
-- ARGV[4]  until when it holds the lease, in milliseconds
-- ARGV[5]  1 where back-off and death do not hold it up
-- ARGV[6]  the present, in milliseconds
--
-- Returns  {'granted', fields…} {'newer', fields…} {'held', until} {'waiting', until} {'dead', reason} {'not_found'}
--@include shared/keys
--@include credentials/state

local provider, now = ARGV[1], tonumber(ARGV[6])
local row = credential_row(provider)
if not row then return {'not_found'} end
if tonumber(row[1]) > tonumber(ARGV[2]) then return {'newer', unpack(row)} end
local held = row[8] ~= ''
if held and tonumber(row[8]) > now then
  if row[9] == ARGV[3] then return {'granted', unpack(row)} end
  return {'held', row[8]}
end
local forced = ARGV[5] == '1'
if row[13] ~= '' and not forced then return {'dead', row[13]} end
if row[12] ~= '' and tonumber(row[12]) > now and not forced then return {'waiting', row[12]} end

local key = credential_key(provider)
redis.call('HSET', key, 'fence', int(next_number(row[7], ARGV[6])), 'until', ARGV[4], 'holder', ARGV[3])
if held then redis.call('HSET', key, 'doubt', '1') end
return {'granted', unpack(credential_row(provider))}
