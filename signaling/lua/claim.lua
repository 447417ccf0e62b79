-- claim: which node carries a room whose node died? The first who asks does.
--
-- KEYS  1 the home
-- ARGV  1 this node   2 the node that is known to be dead   3 lifetime in milliseconds
-- Result: the node that carries the room
-- Complexity: constant.

local home = redis.call('GET', KEYS[1])
if home and home ~= ARGV[2] then return home end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]
