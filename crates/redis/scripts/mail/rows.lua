-- Rows: how a message is returned.

-- {offset, doc, n, nr, na, settled, viewer's r or '', viewer's a or '', {name, r, a, ...}}
local function row_of(off, viewer, with_receipts)
  local key = message_key(off)
  local plain = redis.call('HMGET', key, 'doc', 'n', 'nr', 'na', 'settled', 'r:' .. viewer, 'a:' .. viewer)
  if not plain[1] then return nil end
  local receipts = {}
  if with_receipts then
    local fields = redis.call('HGETALL', key)
    local acks = {}
    for i = 1, #fields, 2 do
      if string.sub(fields[i], 1, 2) == 'a:' then acks[string.sub(fields[i], 3)] = fields[i + 1] end
    end
    for i = 1, #fields, 2 do
      if string.sub(fields[i], 1, 2) == 'r:' then
        local name = string.sub(fields[i], 3)
        receipts[#receipts + 1] = name
        receipts[#receipts + 1] = fields[i + 1]
        receipts[#receipts + 1] = acks[name] or ''
      end
    end
  end
  return {
    off, plain[1], plain[2], plain[3], plain[4], plain[5], plain[6] or '', plain[7] or '', receipts,
  }
end
