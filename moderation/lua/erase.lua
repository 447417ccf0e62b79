-- Deletes all that is kept about a token, and leaves a mark that it was given up, if there was anything.
-- KEYS     first the records that it may have, then everything else that may exist
-- ARGV[1]  how many records
-- ARGV[2]  format of the key of a review
-- ARGV[3]  which of the records is that of this week; ARGV[4] the mark; ARGV[5] its ms to live
-- Result   how many keys there were
-- O(keys)
local n = 0
for i = 1, tonumber(ARGV[1]) do
  local review = redis.call('GETRANGE', KEYS[i], 17, 32)
  if #review == 16 and review ~= string.rep('-', 16) then
    n = n + redis.call('DEL', string.format(ARGV[2], review))
  end
end
for i = 1, #KEYS, 1000 do
  n = n + redis.call('DEL', unpack(KEYS, i, math.min(i + 999, #KEYS)))
end
if n > 0 then redis.call('SET', KEYS[tonumber(ARGV[3])], ARGV[4], 'PX', ARGV[5]) end
return n
