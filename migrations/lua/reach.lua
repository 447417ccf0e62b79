-- Records the shape that the data has reached, for the holder of the lock only.
-- KEYS[1]  the lock
-- KEYS[2]  the schema
-- ARGV[1]  token of the holder
-- ARGV[2]  number of the step that was done
-- ARGV[3]  now, Unix seconds
-- Result   1 when recorded, 0 when the lock is not held
-- O(1)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'version', ARGV[2], 'at', ARGV[3])
return 1
