-- Changes a pool. A change that is repeated is recognised by its digest.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: op now max_providers
-- ARGV[2]  the digest of the change
-- ARGV[3]  the revision that is changed, or empty for any
-- ARGV[4]  channel of the wake-ups
-- ARGV[5]  what to publish there
-- ARGV[6]  settings of the pool (replace, settings), a provider (remove), a version (patch), or empty
-- ARGV[7…] for each provider (replace, add, patch): its id, how many pairs of settings, of health and of counters follow, and
--          those pairs; -1 pairs for what stays as it is
--
-- Returns  {'changed', revision} {'conflict', current} {'exists'} {'not_found'} {'full'}
--@include shared/keys
--@include providers/pool
--@include credentials/state

local p = cjson.decode(ARGV[1])
local op, now = p.op, p.now
local SETTINGS = {'body', 'dis', 'w', 'prio', 'max', 'ex', 'seal'}
local HEALTH = {'un', 'fs', 'lfa', 'lfm', 'rt', 'nr', 'cka', 'ckm'}
local COUNTERS = {'rq', 'er', 'rf', 'ua', 'fa', 'sq'}
local MEMOS, MEMO_MS = 64, 3600000

for _, memo in ipairs(redis.call('LRANGE', base .. 'memos', 0, -1)) do
  local digest, revision = string.match(memo, '^(%S+) (%d+)$')
  if digest == ARGV[2] then return {'changed', revision} end
end
local current = redis.call('HGET', meta, 'rev')
if ARGV[3] ~= '' and tonumber(ARGV[3]) ~= tonumber(current or 0) then return {'conflict', current or '0'} end
if not current and (op == 'remove' or op == 'patch' or op == 'drop') then return {'not_found'} end
local revision = int(math.max(tonumber(current or 0) + 1, now * 1000))

-- The providers of the change.
local seeded, at = {}, 7
while at <= #ARGV do
  local one = {id = ARGV[at]}
  at = at + 1
  for _, domain in ipairs({'settings', 'health', 'counters'}) do
    local pairs_of_it = tonumber(ARGV[at])
    at = at + 1
    if pairs_of_it >= 0 then
      local fields = {}
      for i = 1, pairs_of_it do fields[ARGV[at + 2 * i - 2]] = ARGV[at + 2 * i - 1] end
      one[domain] = fields
      at = at + 2 * pairs_of_it
    end
  end
  seeded[#seeded + 1] = one
end

local function is_known(id) return redis.call('HEXISTS', provider_key(id), 'ver') == 1 end

local function has_settings(one)
  local known = redis.call('HMGET', provider_key(one.id), unpack(SETTINGS))
  for i, field in ipairs(SETTINGS) do
    if (known[i] or nil) ~= one.settings[field] then return false end
  end
  return true
end

local function write(id, names, fields)
  if not fields then return end
  redis.call('HDEL', provider_key(id), unpack(names))
  for _, name in ipairs(names) do
    if fields[name] then redis.call('HSET', provider_key(id), name, fields[name]) end
  end
end

local function write_settings(one)
  write(one.id, SETTINGS, one.settings)
  redis.call('HSET', provider_key(one.id), 'ver', revision, 'upd', int(now))
end

local function enter(one, position)
  if not is_known(one.id) or not has_settings(one) then write_settings(one) end
  write(one.id, HEALTH, one.health)
  write(one.id, COUNTERS, one.counters)
  redis.call('ZADD', order, position, one.id)
end

-- Removes a provider with its uses and its credential.
local function remove(id)
  local all = redis.call('HGETALL', uses)
  for i = 1, #all, 2 do
    if string.sub(all[i + 1], 3) == id then end_use(all[i]) end
  end
  redis.call('ZREM', order, id)
  redis.call('UNLINK', provider_key(id))
  forget_credential(id)
end

local ops = {}

function ops.replace()
  if #seeded > p.max_providers then return {'full'} end
  local stays = {}
  for _, one in ipairs(seeded) do stays[one.id] = true end
  for _, id in ipairs(redis.call('ZRANGE', order, 0, -1)) do
    if not stays[id] then remove(id) end
  end
  for position, one in ipairs(seeded) do enter(one, position) end
  redis.call('HSET', meta, 'set', ARGV[6])
end

function ops.settings()
  redis.call('HSET', meta, 'set', ARGV[6])
end

function ops.add()
  local one = seeded[1]
  if is_known(one.id) then
    if has_settings(one) then return {'changed', current} end
    return {'exists'}
  end
  if redis.call('ZCARD', order) >= p.max_providers then return {'full'} end
  local last = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')
  enter(one, (tonumber(last[2]) or 0) + 1)
  redis.call('HSETNX', meta, 'set', '{}')
end

function ops.patch()
  local version = redis.call('HGET', provider_key(seeded[1].id), 'ver')
  if not version then return {'not_found'} end
  if ARGV[6] ~= '' and ARGV[6] ~= version then return {'conflict', version} end
  write_settings(seeded[1])
end

function ops.remove()
  if not is_known(ARGV[6]) then return {'not_found'} end
  remove(ARGV[6])
end

function ops.drop()
  for _, id in ipairs(redis.call('ZRANGE', order, 0, -1)) do remove(id) end
  for _, id in ipairs(redis.call('HKEYS', base .. 'tkeys')) do forget_credential(id) end
  redis.call('UNLINK', meta, order, uses, ends)
end

local ended = ops[op]()
if ended then return ended end
if op ~= 'drop' then redis.call('HSET', meta, 'rev', revision) end
redis.call('LPUSH', base .. 'memos', ARGV[2] .. ' ' .. revision)
redis.call('LTRIM', base .. 'memos', 0, MEMOS - 1)
redis.call('PEXPIRE', base .. 'memos', MEMO_MS)
redis.call('PUBLISH', ARGV[4], ARGV[5])
return {'changed', revision}
