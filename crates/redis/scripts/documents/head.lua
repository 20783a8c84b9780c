-- Reads the newest position of a namespace.
--
-- KEYS[1]  <base>meta
--
-- Returns  {epoch or '', head}
--@include shared/keys
--@include documents/records

local epoch, head = position()
return {epoch, int(head)}
