-- ARGV: a room that is closed, its epoch, its owner. Answers 1: there is no such record now.
local room, epoch, me = ARGV[1], ARGV[2], ARGV[3]
if is_owned(room, epoch, me) then
  take(room, me)
  redis.call('HDEL', ROOMS, room)
  redis.call('DEL', p .. 'ck:' .. room)
end
return 1
