-- Reads what is kept about some devices, with the reports themselves, in one step.
-- KEYS     for each device: the records that it may have, then its window of today and of yesterday
-- ARGV[1]  format of the key of a report: mark, slot
-- ARGV     then for each device: how many records, '1' to read the window in any case, a field of the
--          window to look for, and the mark of each record
-- Result   for each device nothing when it has no record and no window was asked for, else: calls,
--          finished, reports, whether the field is there (0 or 1), and for each record that exists its
--          place in KEYS of the device, its ms to live, its bytes, and a list of slot, report, ...
-- O(records + reports)
local function used(blob) -- the slots in bytes 10 to 17: bit n of the number, big-endian, is slot n
  local slots = {}
  for b = 1, 8 do
    local bits, slot = string.byte(blob, 9 + b), (8 - b) * 8
    while bits > 0 do
      if bits % 2 == 1 then slots[#slots + 1] = slot end
      bits, slot = math.floor(bits / 2), slot + 1
    end
  end
  return slots
end

local function reports(mark, blob)
  local slots, keys, all = used(blob), {}, {}
  if #slots == 0 then return all end
  for i, slot in ipairs(slots) do keys[i] = string.format(ARGV[1], mark, slot) end
  for i, report in ipairs(redis.call('MGET', unpack(keys))) do
    if report then
      all[#all + 1] = slots[i]
      all[#all + 1] = report
    end
  end
  return all
end

local function window(today, yesterday, field)
  local key = today
  if redis.call('EXISTS', yesterday) == 1 then key = yesterday end
  local w = redis.call('HMGET', key, 'calls', 'finished', 'reports')
  local there = 0
  if field ~= '' then there = redis.call('HEXISTS', key, field) end
  return {tonumber(w[1] or 0), tonumber(w[2] or 0), tonumber(w[3] or 0), there}
end

local answer, key, arg = {}, 1, 2
while arg <= #ARGV do
  local n, always, field = tonumber(ARGV[arg]), ARGV[arg + 1] == '1', ARGV[arg + 2]
  local held, found = {}, {}
  if n > 0 then held = redis.call('MGET', unpack(KEYS, key, key + n - 1)) end
  for i = 1, n do
    if held[i] then
      found[#found + 1] = i
      found[#found + 1] = redis.call('PTTL', KEYS[key + i - 1])
      found[#found + 1] = held[i]
      found[#found + 1] = reports(ARGV[arg + 2 + i], held[i])
    end
  end
  if always or #found > 0 then
    local all = window(KEYS[key + n], KEYS[key + n + 1], field)
    for _, f in ipairs(found) do all[#all + 1] = f end
    found = all
  end
  answer[#answer + 1] = found
  key, arg = key + n + 2, arg + 3 + n
end
return answer
