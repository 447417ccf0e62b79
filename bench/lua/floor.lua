-- floor: what a queue costs at the least, without a single rule. One person comes, the oldest goes.
-- KEYS 1 queue     ARGV 1 person 2 score
-- result: {person, score} of the oldest, or {}      O(log n)
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
return redis.call('ZPOPMIN', KEYS[1])
