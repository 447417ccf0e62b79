-- Counts a call in the windows of those who took part.
-- KEYS     for each of them the window of today and that of yesterday
-- ARGV[1]  lifetime of a window in ms
-- ARGV     then for each whether the call was long enough to be finished: 1 or 0
-- Result   1
-- O(devices)
for i = 1, #ARGV - 1 do
  local key = KEYS[2 * i - 1]
  if redis.call('EXISTS', KEYS[2 * i]) == 1 then key = KEYS[2 * i] end
  local new = redis.call('EXISTS', key) == 0
  redis.call('HINCRBY', key, 'calls', 1)
  if ARGV[i + 1] == '1' then redis.call('HINCRBY', key, 'finished', 1) end
  if new then redis.call('PEXPIRE', key, ARGV[1]) end
end
return 1
