-- Presence: hashes doc, run, reg and work by instance, and the sorted set beat by time.

local function may_hold(name, max_instances)
  if redis.call('ZSCORE', base .. 'beat', name) then return true end
  return redis.call('ZCARD', base .. 'beat') < max_instances
end

-- A namespace where nothing beats for a week is forgotten as a whole.
local function keep_for_a_week()
  for _, key in ipairs({'doc', 'run', 'reg', 'work', 'beat'}) do
    redis.call('PEXPIRE', base .. key, 604800000)
  end
end

local function forget(name)
  redis.call('ZREM', base .. 'beat', name)
  for _, key in ipairs({'doc', 'run', 'reg', 'work'}) do redis.call('HDEL', base .. key, name) end
end
