-- Renews the lease of the node that counts.
-- KEYS[1]  the lease
-- ARGV[1]  token of the node; ARGV[2] lifetime in ms
-- Result   1 when the node held it, else 0
-- O(1)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
