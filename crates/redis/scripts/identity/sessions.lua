-- The sessions of a user that have not ended, the newest first.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the user
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  silence after which a session has ended, in milliseconds
--
-- Returns  {id, user, created, used, expires, origin, agent, …}
--@include shared/keys
--@include identity/state

local rows = {}
for _, token in ipairs(redis.call('ZREVRANGE', base .. 'live:' .. ARGV[1], 0, -1)) do
  local row = live_session(token, tonumber(ARGV[2]), tonumber(ARGV[3]))
  if row then
    for _, field in ipairs(row) do rows[#rows + 1] = field end
  end
end
return rows
