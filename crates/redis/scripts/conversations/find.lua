-- Finds a conversation.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the present, in milliseconds
--
-- Returns  {} or {summary, body, workflow or nil}
--@include shared/keys
--@include conversations/records

if not find_alive(ARGV[1], tonumber(ARGV[2])) then return {} end
local documents = redis.call('HMGET', record_key(ARGV[1]), 'body', 'wf')
return {summary_of(ARGV[1]), documents[1], documents[2]}
