-- Changes a conversation.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: id now expected status lifetime{mode ttl pinned} has_workflow channel wake
-- ARGV[2]  what lists show, opaque
-- ARGV[3]  what they do not show, opaque
-- ARGV[4]  the state of the workflow, opaque, where has_workflow
--
-- Returns  {'patched'} {'not_found'} {'conflict', version}
--@include shared/keys
--@include conversations/records

local p = cjson.decode(ARGV[1])
local record = find_alive(p.id, p.now)
if not record then return {'not_found'} end
if p.expected ~= record.ver then return {'conflict', int(record.ver)} end
local key = record_key(p.id)
redis.call('HSET', key, 'st', p.status, 'ver', int(record.ver + 1), 'up', int(p.now), 'head', ARGV[2], 'body', ARGV[3])
if p.has_workflow then redis.call('HSET', key, 'wf', ARGV[4]) else redis.call('HDEL', key, 'wf') end
local ends = end_after_use(record, p.now)
if p.lifetime then
  redis.call('HSET', key, 'mode', p.lifetime.mode, 'ttl', int(p.lifetime.ttl), 'pin', p.lifetime.pinned and 1 or 0)
  ends = not p.lifetime.pinned and p.now + p.lifetime.ttl or nil
end
keep(p.id, int(p.now), ends, p.now)
wake(p)
return {'patched'}
