-- Deliveries: the entries of a message in the inboxes of its recipients.
-- in:<name> and pend:<name> are ordered by time, log:<name>, unread:<name> and drop:<name> (what is in the inbox and
-- waits for nothing) by offset. So is idle, the messages of the namespace that wait for nothing.

-- Messages that make room for one at most, where a bound was lowered.
local TRIM_STEP = 256

-- Puts a message into an inbox. A settled message waits for nothing.
local function deliver(name, off, ts, requires_ack, settled, until_ms)
  changed_inboxes[name] = true
  index('in:' .. name, ts, off, until_ms)
  index('log:' .. name, off, off, until_ms)
  if not settled then index('unread:' .. name, off, off, until_ms) end
  if requires_ack and not settled then
    index('pend:' .. name, ts, off, until_ms)
  else
    index('drop:' .. name, off, off, until_ms)
  end
end

-- Makes room in an inbox: the oldest deliveries that wait for nothing leave.
local function trim_inbox(name, max_inbox)
  local surplus = math.min(redis.call('ZCARD', base .. 'log:' .. name) - max_inbox, TRIM_STEP)
  if surplus <= 0 then return end
  for _, off in ipairs(redis.call('ZRANGE', base .. 'drop:' .. name, 0, surplus - 1)) do leave_inbox(name, off) end
end

-- Makes room in the namespace for one message: the oldest that wait for nothing go. Returns false where there is none.
local function make_room(max_messages)
  local surplus = math.min(redis.call('ZCARD', base .. 'timeline') - max_messages + 1, TRIM_STEP)
  if surplus <= 0 then return true end
  local oldest = redis.call('ZRANGE', base .. 'idle', 0, surplus - 1)
  for _, off in ipairs(oldest) do delete_message(off) end
  return #oldest > 0
end

-- Whether a message still waits for someone's acknowledgement.
local function refresh_pending(off, ts, until_ms)
  local state = redis.call('HMGET', message_key(off), 'req', 'settled', 'n', 'na')
  local n, na = tonumber(state[3]), tonumber(state[4])
  if state[1] == '1' and state[2] == '0' and (n == 0 or na < n) then
    index('pending', ts, off, until_ms)
    redis.call('ZREM', base .. 'idle', off)
  else
    redis.call('ZREM', base .. 'pending', off)
    index('idle', off, off, until_ms)
  end
end

-- Stores a new message with its index entries and delivers it. Returns its offset. An import trims later, when it
-- is known what waits for an acknowledgement.
local function store_message(p, document, subject, names, trim_later)
  local last = tonumber(redis.call('HGET', meta, 'last') or '0')
  local offset = math.max(last + 1, p.now * 1000)
  local off = pad(offset)
  redis.call('HSET', meta, 'last', off)
  local until_ms = horizon(p.exp, p.now)
  local fields = {
    'id', p.id, 'doc', document, 'ts', int(p.ts), 'exp', int(p.exp), 'type', p.type, 'from', p.from,
    'subj', subject, 'req', p.req and '1' or '0', 'bc', p.everyone and '1' or '0', 'th', p.th,
    'settled', p.settled and '1' or '0', 'n', #names, 'nr', 0, 'na', 0,
  }
  redis.call('HSET', message_key(off), unpack(fields))
  for _, name in ipairs(names) do
    redis.call('HSET', message_key(off), 'r:' .. name, '0')
    deliver(name, off, int(p.ts), p.req, p.settled, until_ms)
    if not trim_later then trim_inbox(name, p.max_inbox) end
  end
  redis.call('PEXPIREAT', message_key(off), until_ms)
  redis.call('SET', base .. 'id:' .. p.id, off, 'PXAT', until_ms)
  index('timeline', int(p.ts), off, until_ms)
  index('sent:' .. p.from, int(p.ts), off, until_ms)
  index('exp', int(p.exp), off, until_ms)
  if p.th ~= '' then index('thread:' .. p.th, int(p.ts), off, until_ms) end
  if p.everyone then index('in:all', int(p.ts), off, until_ms) end
  if p.req and not p.settled then
    index('pending', int(p.ts), off, until_ms)
  else
    index('idle', off, off, until_ms)
  end
  redis.call('HINCRBY', base .. 'types', p.type, 1)
  redis.call('PEXPIREAT', base .. 'types', until_ms)
  redis.call('PEXPIREAT', base .. 'dropped', until_ms)
  return off
end

-- Ends the waiting of one delivery; where it is still in its inbox, it may now make room for others.
local function wait_no_more(name, off, until_ms)
  if redis.call('ZREM', base .. 'pend:' .. name, off) == 1 and redis.call('ZSCORE', base .. 'log:' .. name, off) then
    index('drop:' .. name, off, off, until_ms)
  end
end

-- The recipients of a message: the named ones, or every member but the sender.
local function recipients_of(p)
  if not p.everyone then return p.to end
  local names = {}
  for _, name in ipairs(redis.call('ZRANGE', base .. 'members', 0, -1)) do
    if name ~= p.from then names[#names + 1] = name end
  end
  return names
end
