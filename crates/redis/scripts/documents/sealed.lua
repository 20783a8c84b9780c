-- Finds revisions that are sealed with another key.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the key
-- ARGV[2]  most revisions
--
-- Returns  {{name, revision, text, key of the seal}, …}
--@include shared/keys
--@include documents/records

local others = false
for _, key in ipairs(redis.call('HKEYS', seals)) do others = others or key ~= ARGV[1] end
if not others then return {} end
local rows, most = {}, tonumber(ARGV[2])
for _, set in ipairs({names, gone}) do
  for _, name in ipairs(redis.call('ZRANGE', set, 0, -1)) do
    for _, r in ipairs(redis.call('ZRANGE', history_key(name), 0, -1)) do
      local seal = redis.call('HGET', texts_key(name), r .. 's')
      if seal and seal ~= '' and seal ~= ARGV[1] then
        if #rows >= most then return rows end
        rows[#rows + 1] = {name, r, redis.call('HGET', texts_key(name), r .. 'b'), seal}
      end
    end
  end
end
return rows
