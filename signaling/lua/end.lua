-- end: the last member has left a private room.
--
-- KEYS  1 the room   2 the mark that it is burnt
-- ARGV  1 this node   2 how: burn, drop (nothing is kept), or free (the link was not used: it stays good)
--       3 lifetime of the mark in milliseconds
-- Result: 1; 0 when another node carries the room, and nothing was done
-- Complexity: constant.

local home = redis.call('HGET', KEYS[1], 'home')
if home and home ~= '' and home ~= ARGV[1] then return 0 end
if ARGV[2] == 'free' then
  if home then redis.call('HSET', KEYS[1], 'home', '') end
  return 1
end
redis.call('DEL', KEYS[1])
if ARGV[2] == 'burn' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[3]) end
return 1
