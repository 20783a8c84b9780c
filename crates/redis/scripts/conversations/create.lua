-- Begins a conversation.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: id now status mode ttl pinned max epoch has_workflow memo{key fp until} channel wake
-- ARGV[2]  what lists show, opaque
-- ARGV[3]  what they do not show, opaque
-- ARGV[4]  the state of the workflow, opaque, where has_workflow
--
-- Returns  {'created'} {'exists'} {'replayed', id} {'memo_mismatch'} {'too_many'}
--@include shared/keys
--@include conversations/records
--@include conversations/requests
--@include conversations/beginning

local p = cjson.decode(ARGV[1])
local refused = refuses(p)
if refused then return refused end
begin(p, ARGV[2], ARGV[3], ARGV[4], {n = 0, by = 0, f = 0})
return {'created'}
