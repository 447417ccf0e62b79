-- Stores one report on a device, each under a key of its own so that each dies at its own time.
-- KEYS     every slot of the device; all in one hash tag
-- ARGV[1]  lifetime of a report in ms
-- ARGV[2]  mark of call and reporter: the first field of a record
-- ARGV[3]  record: mark;hour;reason
-- Result   0 when that reporter had reported that call before, 1 when stored, 2 when stored in the
--          place of the oldest
-- O(slots); a full device loses its oldest report, the one that would have gone first
local held = redis.call('MGET', unpack(KEYS))
local free, result = nil, 1
for i, record in ipairs(held) do
  if record then
    if string.sub(record, 1, #ARGV[2] + 1) == ARGV[2] .. ';' then return 0 end
  elseif not free then
    free = i
  end
end
if not free then
  local least
  result = 2
  for i, key in ipairs(KEYS) do
    local left = redis.call('PTTL', key)
    if not least or left < least then free, least = i, left end
  end
end
redis.call('SET', KEYS[free], ARGV[3], 'PX', ARGV[1])
return result
