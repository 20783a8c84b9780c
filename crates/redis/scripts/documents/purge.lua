-- Removes documents whose time is over, as one change, and old revisions.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now before (revision) limit max_changes max_documents max_revisions max_history_bytes max_log
--          channel wake
--
-- Returns  how much was removed
--@include shared/keys
--@include documents/records
--@include documents/committing

local p = cjson.decode(ARGV[1])
local _, head = position()
local over = redis.call('ZRANGEBYSCORE', ends, '-inf', int(p.now), 'LIMIT', 0, int(math.min(p.limit, p.max_changes)))
if #over > 0 then
  local revision = next_revision(head, p)
  for i, name in ipairs(over) do
    write(name, revision, i, {kind = 'expired', seal = '', ends = '', diff = '[]'}, p, 'store')
  end
  finish(revision, p)
end
local old = redis.call('ZRANGEBYSCORE', age, '-inf', '(' .. int(p.before), 'LIMIT', 0, p.limit)
for _, member in ipairs(old) do
  local revision, name = string.match(member, '^(%d+)/(.*)$')
  drop_revision(name, tonumber(revision))
end
return #over + #old
