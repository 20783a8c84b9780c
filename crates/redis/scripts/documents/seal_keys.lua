-- The keys that revisions of documents are sealed with.
--
-- KEYS[1]  <base>meta
--
-- Returns  their ids
--@include shared/keys
--@include documents/records

return redis.call('HKEYS', seals)
