-- Frees the lock of whoever holds it.
-- KEYS[1]  the lock
-- ARGV[1]  token of the holder
-- Result   1 when it was held, else 0
-- O(1)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
