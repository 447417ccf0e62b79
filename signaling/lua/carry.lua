-- carry: the node that carries a private room reads what is kept of it, or renews that.
--
-- KEYS  1 the room   2 the mark that it is burnt
-- ARGV  1 this node   2 the life of the room, "" to read only
--       3 capacity   4 knock, 1 or 0   5 used, 1 or 0   6 lifetime in milliseconds
-- Result: {"mine", life, capacity, knock, used, milliseconds left}, {"elsewhere", node}, {"burnt"},
--         {"unknown"} when nothing is kept and nothing is to be, {"over"} when it is the record of another life
-- Complexity: constant.

local call, node, life = redis.call, ARGV[1], ARGV[2]
if call('EXISTS', KEYS[2]) == 1 then return {'burnt'} end
local at = call('HMGET', KEYS[1], 'home', 'life')
if not at[2] and life == '' then return {'unknown'} end
if at[2] and at[1] ~= '' and at[1] ~= node then return {'elsewhere', at[1]} end
if at[2] and life ~= '' and at[2] ~= life then return {'over'} end
call('HSET', KEYS[1], 'home', node)
if life ~= '' then
  call('HSET', KEYS[1], 'life', life, 'capacity', ARGV[3], 'knock', ARGV[4], 'used', ARGV[5])
  call('PEXPIRE', KEYS[1], ARGV[6])
end
local now = call('HMGET', KEYS[1], 'life', 'capacity', 'knock', 'used')
return {'mine', now[1], now[2], now[3], now[4], call('PTTL', KEYS[1])}
