-- Compare-and-apply: the effects of a batch and the position they belong to, or neither.
-- KEYS[1]  position of the partition: a hash of offset (next to read) and source
-- ARGV     expected offset, next offset, source, commands: MessagePack, an array of arrays
-- Answers the offset that holds afterwards: `next` if applied now or before, else another one.
-- No data key is named in KEYS: the projection lives on one node (docs/decisions/0002).
local at = redis.call('HGET', KEYS[1], 'offset') or '0'
if at ~= ARGV[1] then
  return at
end
for _, command in ipairs(cmsgpack.unpack(ARGV[4])) do
  redis.call(unpack(command))
end
redis.call('HSET', KEYS[1], 'offset', ARGV[2], 'source', ARGV[3])
return ARGV[2]
