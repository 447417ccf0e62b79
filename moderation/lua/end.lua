-- Records that a call has ended. Only the first end sets the time that is left to report.
-- KEYS[1]  the call
-- ARGV[1]  how long it may still be reported, in ms
-- Result   1 when it ended now, 0 when it is unknown or had ended before
-- O(1)
if redis.call('GET', KEYS[1]) ~= 'runs' then return 0 end
redis.call('SET', KEYS[1], 'ended', 'PX', ARGV[1])
return 1
