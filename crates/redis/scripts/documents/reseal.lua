-- Replaces the text of a revision by the same text, sealed with another key.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the name of the document, opaque
-- ARGV[2]  the revision
-- ARGV[3]  the key that it is sealed with
-- ARGV[4]  the key that it is sealed with now, or empty
-- ARGV[5]  the text, opaque
--
-- Returns  1, or 0 where there is no such revision, or it is sealed with another key
--@include shared/keys
--@include documents/records

local texts, r = texts_key(ARGV[1]), ARGV[2]
if redis.call('HGET', texts, r .. 's') ~= ARGV[3] then return 0 end
local grown = string.len(ARGV[5]) - redis.call('HSTRLEN', texts, r .. 'b')
redis.call('HSET', texts, r .. 's', ARGV[4], r .. 'b', ARGV[5])
redis.call('HINCRBY', record_key(ARGV[1]), 'h', int(grown))
if redis.call('HINCRBY', seals, ARGV[3], -1) <= 0 then redis.call('HDEL', seals, ARGV[3]) end
if ARGV[4] ~= '' then redis.call('HINCRBY', seals, ARGV[4], 1) end
return 1
