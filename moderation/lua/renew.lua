-- Keeps the record of a running call; never that of an ended one.
-- KEYS[1]  the call
-- ARGV[1]  lifetime in ms
-- Result   1 when it runs, 0 when it is unknown or has ended
-- O(1)
if redis.call('GET', KEYS[1]) ~= 'runs' then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
