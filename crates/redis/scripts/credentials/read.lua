-- A credential.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded provider
--
-- Returns  its fields in their order, or nothing
--@include shared/keys
--@include credentials/state

return credential_row(ARGV[1]) or {}
