-- beat: a node says that it lives; or, with a lease of 0, that it goes.
--
-- KEYS  1 the leases   2 the node's inbox, written to when it resigns
-- ARGV  1 node   2 length of the lease in microseconds, 0 = resign
-- Result {now, number of living nodes}
-- Complexity: the number of nodes.

local node, lease = ARGV[1], tonumber(ARGV[2])
if lease == 0 then
  call('HDEL', LEASES, node)
  tell(node, 'stop', '', '', node, '') -- wakes whoever reads the inbox
  return {digits(now), '0'}
end

call('HSET', LEASES, node, digits(now + lease))
call('PEXPIRE', LEASES, LEASES_TTL)

local living, all = 0, call('HGETALL', LEASES)
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) > now then
    living = living + 1
  else
    call('HDEL', LEASES, all[i])
  end
end
return {digits(now), digits(living)}
