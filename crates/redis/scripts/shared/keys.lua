-- Every key of an aggregate begins with the same tagged base, so that all of it lives in one slot:
-- KEYS[1] is `<base>meta`. Names inside keys arrive percent-encoded.
local base = string.sub(KEYS[1], 1, -5)
local meta = KEYS[1]

-- Offsets are written with 16 digits, so that their order as text is their order as numbers.
local function pad(number)
  return string.format('%016.0f', number)
end

-- Whole numbers never pass through Lua's default formatting, which keeps 14 digits only.
local function int(number)
  return string.format('%.0f', number)
end
