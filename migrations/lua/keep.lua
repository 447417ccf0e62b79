-- Renews the lock of whoever holds it.
-- KEYS[1]  the lock
-- ARGV[1]  token of the holder
-- ARGV[2]  lifetime in ms
-- Result   1 when it was held, else 0
-- O(1)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
