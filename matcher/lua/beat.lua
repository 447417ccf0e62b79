-- beat: a node says that it lives; or, with a lease of 0, that it goes.
--
-- KEYS  1 the leases   2 the node's inbox
-- ARGV  1 node   2 length of the lease in microseconds, 0 = resign   3 last entry read of the inbox
-- Result {now, number of living nodes, 'new' if the node had no lease, else 'old'}
-- Complexity: the number of nodes.

local node, lease = ARGV[1], tonumber(ARGV[2])
if lease == 0 then
  call('HDEL', LEASES, node)
  tell(node, 'stop', '', '', node, '') -- wakes whoever reads the inbox
  return {digits(now), '0', 'old'}
end

local had = call('HSET', LEASES, node, digits(now + lease)) == 0
call('PEXPIRE', LEASES, LEASES_TTL)
if ARGV[3] ~= '0' then call('XTRIM', KEYS[2], 'MINID', ARGV[3]) end -- what was read need not stay

local living, all = 0, call('HGETALL', LEASES)
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) > now then
    living = living + 1
  else
    call('HDEL', LEASES, all[i])
  end
end
return {digits(now), digits(living), had and 'old' or 'new'}
