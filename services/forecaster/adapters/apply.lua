-- Compare-and-apply: the effects of a batch and the position they belong to, or neither.
-- KEYS[1]  position of the partition: a hash of offset (next to read) and source
-- KEYS[2+] keys that the commands take to be absent
-- ARGV     expected offset, next offset, source, commands: MessagePack, an array of arrays
-- Answers the offset that holds afterwards: `next` if applied now or before, else another one;
-- or, where some of the absent keys are there, the values of all of them, with nothing applied.
-- No other data key is named in KEYS: the projection lives on one node (docs/decisions/0002).
local at = redis.call('HGET', KEYS[1], 'offset') or '0'
if at ~= ARGV[1] then
  return at
end
local known = 0
for first = 2, #KEYS, 1000 do -- Lua's unpack fails near 8,000 values
  known = known + redis.call('EXISTS', unpack(KEYS, first, math.min(first + 999, #KEYS)))
end
if known > 0 then
  local values = {}
  for i = 2, #KEYS do
    values[i - 1] = redis.call('GET', KEYS[i])
  end
  return values
end
for _, command in ipairs(cmsgpack.unpack(ARGV[4])) do
  redis.call(unpack(command))
end
redis.call('HSET', KEYS[1], 'offset', ARGV[2], 'source', ARGV[3])
return ARGV[2]
