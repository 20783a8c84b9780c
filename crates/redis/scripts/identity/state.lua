-- Identity: hashes users, uver, uname and useal by user; names from the compared form of a name to the user; keys, ksec,
-- kexp and kused by API key. Each session is the hash s:<digest of its token>; of a user, live:<user> holds those digests
-- by the time they began, and ids:<user> leads from the id of a session to its digest.

local function session_key(token)
  return base .. 's:' .. token
end

local function forget_session(user, token)
  local id = redis.call('HGET', session_key(token), 'id')
  redis.call('DEL', session_key(token))
  redis.call('ZREM', base .. 'live:' .. user, token)
  if id then redis.call('HDEL', base .. 'ids:' .. user, id) end
end

-- Ends the sessions of a user but for one digest; returns how many there were.
local function end_sessions(user, except)
  local ended = 0
  for _, token in ipairs(redis.call('ZRANGE', base .. 'live:' .. user, 0, -1)) do
    if token ~= except then
      ended = ended + redis.call('EXISTS', session_key(token))
      forget_session(user, token)
    end
  end
  return ended
end

-- The fields of a session that has not ended.
local function live_session(token, now, idle_ms)
  local row = redis.call('HMGET', session_key(token), 'id', 'user', 'created', 'used', 'expires', 'origin', 'agent')
  if not row[1] then return nil end
  if tonumber(row[5]) <= now or now - tonumber(row[4]) >= idle_ms then return nil end
  for i = 6, 7 do row[i] = row[i] or '' end
  return row
end

-- Whether an API key exists and has not ended.
local function is_valid(id, now)
  local expires = redis.call('HGET', base .. 'kexp', id)
  if not expires then return false end
  return expires == '' or tonumber(expires) > now
end

local function forget_key(id)
  for _, name in ipairs({'ksec', 'kexp', 'kused'}) do redis.call('HDEL', base .. name, id) end
  return redis.call('HDEL', base .. 'keys', id)
end
