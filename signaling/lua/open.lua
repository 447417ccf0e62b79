-- open: which node carries a private room? The first who asks does, or the first after that node died.
--
-- KEYS  1 the room   2 the mark that it is burnt
-- ARGV  1 this node   2 the node that is known to be dead, or ""
--       3 how: make (a link), enter (a link), channel, or back (with a pass)
--       4 the life of the room: of a new one, or that of the pass   5 capacity   6 knock, 1 or 0
--       7 lifetime of a new record in milliseconds
-- Result: {"open", node}, or {"burnt" | "unknown" | "taken" | "over", ""}
-- Complexity: constant.

local call, node, dead, how, life = redis.call, ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if call('EXISTS', KEYS[2]) == 1 then return {'burnt', ''} end
local at = call('HMGET', KEYS[1], 'home', 'life')
if not at[2] then
  if how == 'enter' then return {'unknown', ''} end
  local used = how == 'back' and '1' or '0'
  call('HSET', KEYS[1], 'home', node, 'life', life, 'capacity', ARGV[5], 'knock', ARGV[6], 'used', used)
  call('PEXPIRE', KEYS[1], ARGV[7])
  return {'open', node}
end
if at[2] ~= life then
  if how == 'make' then return {'taken', ''} end
  if how == 'back' then return {'over', ''} end
end
if at[1] ~= '' and at[1] ~= dead then return {'open', at[1]} end
call('HSET', KEYS[1], 'home', node)
return {'open', node}
