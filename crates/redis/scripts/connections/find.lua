-- Finds a connection.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
--
-- Returns  {id, whose, details, node or ''} or {}
--@include shared/keys
--@include connections/connection

if not is_alive(tonumber(ARGV[1])) then return {} end
return {record()}
