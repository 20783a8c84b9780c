-- What is remembered under a request id.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded key of the request
-- ARGV[2]  its fingerprint
-- ARGV[3]  the present, in milliseconds
--
-- Returns  {} {'replayed', id} {'memo_mismatch'}
--@include shared/keys
--@include mail/memo

return recall(ARGV[1], ARGV[2], tonumber(ARGV[3])) or {}
