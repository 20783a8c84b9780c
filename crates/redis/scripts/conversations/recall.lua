-- What an append to a conversation wrote, by its request id.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  the encoded key of the request
-- ARGV[4]  the fingerprint of the request
--
-- Returns  {} {'memo_mismatch'} {'replayed', first, last, version, fence or ''}
--@include shared/keys
--@include conversations/records
--@include conversations/requests

local now = tonumber(ARGV[2])
local record = find_alive(ARGV[1], now)
if not record then return {} end
return recall({key = ARGV[3], fp = ARGV[4]}, ARGV[1], record, now) or {}
