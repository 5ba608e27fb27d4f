-- ARGV: room, epoch, checkpoint with its head. Answers 1 when it is stored, 0 when the room is another's, -1 when it
-- has no record.
local epoch = read(redis.call('HGET', ROOMS, ARGV[1]))
if not epoch then
  return -1
end
if epoch > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', p .. 'ck:' .. ARGV[1], ARGV[3])
return 1
