-- Gives the lease up, and stores what its node has counted under the time of this server.
-- KEYS[1]  the counts
-- KEYS[2]  the lease
-- ARGV[1]  token of the node
-- ARGV[2]  what it has counted, '' for nothing; ARGV[3] lifetime in ms
-- Result   the counts as they are stored; '' when nothing was, or the node had lost the lease
-- O(1)
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return '' end
redis.call('DEL', KEYS[2])
if ARGV[2] == '' then return '' end
local text = 'at ' .. redis.call('TIME')[1] .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], text, 'PX', ARGV[3])
return text
