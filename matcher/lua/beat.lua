-- beat: a node says that it lives; or, with a lease of 0, that it goes.
--
-- KEYS  1 the leases   2 the node's inbox: it lives on with the node, and is written to when that goes
-- ARGV  1 node   2 length of the lease in microseconds, 0 = resign
-- Result {now, number of living nodes}
-- Complexity: the number of nodes.

local node, lease = ARGV[1], tonumber(ARGV[2])
if lease == 0 then
  call('HDEL', KEYS[1], node)
  tell(node, 'stop', '', '', node, '') -- wakes whoever reads the inbox
  return {NOW, '0'}
end

call('HSET', KEYS[1], node, digits(now + lease))
call('PEXPIRE', KEYS[1], LEASE_TTL)
call('PEXPIRE', KEYS[2], INBOX_TTL)

local living, all = 0, call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) > now then
    living = living + 1
  else
    call('HDEL', KEYS[1], all[i])
  end
end
return {NOW, digits(living)}
