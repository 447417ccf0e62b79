-- Changes records, if nobody has changed them since they were read.
-- KEYS     whatever is named below, by its place
-- ARGV[1]  how many checks there are; for each follow a key and the 8 bytes that its value must begin
--          with, or '' when it must not exist
-- ARGV     then the changes, one after the other:
--          set key value ms     with that time to live; 0 keeps the time that it has, if it exists
--          del key
--          move from to         with its time to live, if it exists
--          within key other     that it lives no longer than the other, and is gone if that is
--          again key            changes nothing, and counts as a write of this connection, on which WAIT waits
--          count key key field ms  one more report in the window of yesterday, else in that of today;
--                               the field remembers for which call, while there are few
-- Result   1 when done, 0 when a check failed and nothing was changed
-- O(changes)
local at = 2
for _ = 1, tonumber(ARGV[1]) do
  if redis.call('GETRANGE', KEYS[tonumber(ARGV[at])], 0, 7) ~= ARGV[at + 1] then return 0 end
  at = at + 2
end

local change = {}
function change.set(key, value, ms)
  if ms ~= '0' then
    redis.call('SET', KEYS[tonumber(key)], value, 'PX', ms)
  elseif redis.call('EXISTS', KEYS[tonumber(key)]) == 1 then
    redis.call('SET', KEYS[tonumber(key)], value, 'KEEPTTL')
  end
  return 4
end
function change.del(key)
  redis.call('DEL', KEYS[tonumber(key)])
  return 2
end
function change.move(from, to)
  if redis.call('EXISTS', KEYS[tonumber(from)]) == 1 then
    redis.call('RENAME', KEYS[tonumber(from)], KEYS[tonumber(to)])
  end
  return 3
end
function change.within(key, other)
  local mine, left = redis.call('PTTL', KEYS[tonumber(key)]), redis.call('PTTL', KEYS[tonumber(other)])
  if left <= 0 then
    redis.call('DEL', KEYS[tonumber(key)])
  elseif left < mine then
    redis.call('PEXPIRE', KEYS[tonumber(key)], left)
  end
  return 3
end
function change.again(key)
  local ends = redis.call('PEXPIRETIME', KEYS[tonumber(key)])
  if ends > 0 then redis.call('PEXPIREAT', KEYS[tonumber(key)], ends) end
  return 2
end
function change.count(today, yesterday, field, ms)
  local key = KEYS[tonumber(today)]
  if redis.call('EXISTS', KEYS[tonumber(yesterday)]) == 1 then key = KEYS[tonumber(yesterday)] end
  local new = redis.call('EXISTS', key) == 0
  redis.call('HINCRBY', key, 'reports', 1)
  if redis.call('HLEN', key) < 17 then redis.call('HSET', key, field, '') end
  if new then redis.call('PEXPIRE', key, ms) end
  return 5
end

while at <= #ARGV do
  at = at + change[ARGV[at]](ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
end
return 1
