-- Cuts out of a record what it says of its reports, which may have run out: their slots, twice, and their
-- sum. A record of the shape after that, a mark that a token was given up, and what is no record stay.
-- KEYS[1]  the record
-- Result   1 when it was cut, else 0
-- O(1)
local was = redis.call('GET', KEYS[1])
if not was or #was < 84 or string.byte(was, 34) ~= 2 then return 0 end
local sum = 33 + 2 * string.byte(was, 84) -- how long it is: the last byte of its head counts the reasons
if #was < 51 + sum then return 0 end
redis.call('SET', KEYS[1], string.sub(was, 1, 9) .. string.rep('\255', 8) .. string.sub(was, 18, 33) .. '\1' ..
  string.sub(was, 35, 40) .. string.rep('\0', 8) .. string.sub(was, 49, 51) .. string.sub(was, 52 + sum), 'KEEPTTL')
return 1
