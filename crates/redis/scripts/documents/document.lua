-- Reads a document.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  its name, opaque
--
-- Returns  {name, revision, text, key of the seal, time, author, end}, or {} where it is not there
--@include shared/keys
--@include documents/records

if current(ARGV[2], tonumber(ARGV[1])) == 0 then return {} end
return row_of(ARGV[2])
