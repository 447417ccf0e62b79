-- Records that a call runs.
-- KEYS[1]  the call
-- ARGV[1]  lifetime in ms
-- Result   1 when it runs, 0 when it had ended
-- O(1)
if redis.call('GET', KEYS[1]) == 'ended' then return 0 end
redis.call('SET', KEYS[1], 'runs', 'PX', ARGV[1])
return 1
