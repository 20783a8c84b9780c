-- Moves the end of a turn that is running: later, or to now.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: id now fence ttl (0 to end it) channel wake
--
-- Returns  {'until', milliseconds} {'lost'} {'not_found'}
--@include shared/keys
--@include conversations/records

local p = cjson.decode(ARGV[1])
local record = find_alive(p.id, p.now)
if not record then return {'not_found'} end
if record.tu <= p.now or record.f ~= p.fence then return {'lost'} end
redis.call('HSET', record_key(p.id), 'tu', p.ttl > 0 and int(p.now + p.ttl) or 0)
keep(p.id, record.up, end_after_use(record, p.now), p.now)
if p.ttl == 0 then wake(p) end
return {'until', int(p.now + p.ttl)}
