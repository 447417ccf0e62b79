-- What an operator did takes effect, unless another act came in between.
--
-- KEYS[1]  the policy
-- ARGV[1]  hash of the last line of the trail as it was read, '' when there was none
-- ARGV[2]  number of the line that tells of this act
-- ARGV[3]  hash of that line
-- ARGV[4]  revision of the policy that the operator saw, '' when the act does not depend on it
-- ARGV[5]  and on: field and value, what is set
-- result   'done'; 'trail': another trail was written to; 'revision': another policy was set
-- cost     O(number of fields)

if (redis.call('HGET', KEYS[1], 'trail_hash') or '') ~= ARGV[1] then
  return 'trail'
end
if ARGV[4] ~= '' and (redis.call('HGET', KEYS[1], 'revision') or '0') ~= ARGV[4] then
  return 'revision'
end
redis.call('HSET', KEYS[1], 'trail_seq', ARGV[2], 'trail_hash', ARGV[3])
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
return 'done'
