-- Documents of a namespace. A name is `<collection>/<key>`; within the name of a Redis key it is percent-encoded.
--   meta       hash: epoch, head (the last revision), horizon (the last revision that left the log), noted
--   names      sorted set: names of documents, by their bytes
--   gone       sorted set: names of documents that are gone and have a history, by the revision that removed them
--   ends       sorted set: names by the end of the document, in milliseconds
--   age        sorted set: `<revision>/<name>` of revisions that are not the current one of a document, by revision
--   seals      hash: how many revisions are sealed with a key
--   log        stream: changes, `<revision>-<place>`, with n(ame) k(ind) a(t) b(y)
--   d:<name>   hash: r(evision) e (end, '' for none) h (bytes of all texts)
--   h:<name>   sorted set: revisions; the document is there where the last of them has a text
--   v:<name>   hash: of each revision <rev>b (text) s (key of its seal) d (diff) k (kind) a(t) y (by whom)
--   q:<key>    hash: a remembered request: fp, rev

local names, gone, ends, age = base .. 'names', base .. 'gone', base .. 'ends', base .. 'age'
local log, seals = base .. 'log', base .. 'seals'

local function encoded(name)
  return (string.gsub(name, '[^A-Za-z0-9%-_.]', function(c) return string.format('%%%02X', string.byte(c)) end))
end

local function record_key(name) return base .. 'd:' .. encoded(name) end
local function history_key(name) return base .. 'h:' .. encoded(name) end
local function texts_key(name) return base .. 'v:' .. encoded(name) end

-- The revision of a document at a moment, 0 where it is not there or has ended; and whether it is stored.
local function current(name, now)
  if not redis.call('ZSCORE', names, name) then return 0, false end
  local f = redis.call('HMGET', record_key(name), 'r', 'e')
  if f[2] ~= '' and tonumber(f[2]) <= now then return 0, true end
  return tonumber(f[1]), true
end

-- A document as its row: name, revision, text, key of its seal, time, author, end.
local function row_of(name)
  local f = redis.call('HMGET', record_key(name), 'r', 'e')
  local v = redis.call('HMGET', texts_key(name), f[1] .. 'b', f[1] .. 's', f[1] .. 'a', f[1] .. 'y')
  return {name, f[1], v[1], v[2], v[3], v[4], f[2]}
end

local function position()
  local f = redis.call('HMGET', meta, 'epoch', 'head', 'horizon')
  return f[1] or '', tonumber(f[2] or '0'), tonumber(f[3] or '0')
end
