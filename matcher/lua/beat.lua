-- beat: a node says that it lives; or, with a lease of 0, that it goes.
--
-- KEYS  1 the leases   2 the node's inbox: it lives on with the node, and is written to when that goes
-- ARGV  1 node   2 length of the lease in microseconds, 0 = resign
-- Result {now, 'renewed', living node, ...}, this one among them
--       | {now, 'anew', living node, ...}: this node held no lease, as when it begins, was away for
--         too long, or Redis forgot everything
--       | {now}: resigned
-- Complexity: the number of nodes.

local node, lease = ARGV[1], tonumber(ARGV[2])
if lease == 0 then
  call('HDEL', KEYS[1], node)
  tell(node, 'stop', '', '', '') -- wakes whoever reads the inbox
  return {NOW}
end

local held = alive(node)
call('HSET', KEYS[1], node, stamp(now + lease))
call('PEXPIRE', KEYS[1], LEASE_TTL)
call('PEXPIRE', KEYS[2], INBOX_TTL)

local answer, all = {NOW, held and 'renewed' or 'anew'}, call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i + 1] > NOW then
    answer[#answer + 1] = all[i]
  else
    call('HDEL', KEYS[1], all[i])
  end
end
return answer
