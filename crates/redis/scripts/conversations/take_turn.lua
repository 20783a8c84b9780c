-- Takes the turn.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: id now ttl channel wake
-- ARGV[2]  what the taker calls itself, or empty
-- ARGV[3]  the key of the call, or empty
--
-- Returns  {'taken', fence, until} {'busy', until} {'not_found'}
--@include shared/keys
--@include conversations/records

local p = cjson.decode(ARGV[1])
local record = find_alive(p.id, p.now)
if not record then return {'not_found'} end
local key = record_key(p.id)
if record.tu > p.now then
  local again = ARGV[3] ~= '' and redis.call('HGET', key, 'tk') == ARGV[3]
  if again then return {'taken', int(record.f), int(record.tu)} end
  return {'busy', int(record.tu)}
end
local fence, until_ms = int(record.f + 1), int(p.now + p.ttl)
redis.call('HSET', key, 'f', fence, 'tu', until_ms, 'th', ARGV[2], 'tk', ARGV[3])
keep(p.id, record.up, end_after_use(record, p.now), p.now)
wake(p)
return {'taken', fence, until_ms}
