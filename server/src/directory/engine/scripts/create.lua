-- ARGV: room, its maker. Answers its epoch, or '' where it may not.
local room, me = ARGV[1], ARGV[2]
if is_fenced(me) or read(redis.call('HGET', ROOMS, room)) then
  return ''
end
-- What another room of this number left goes with it.
redis.call('DEL', p .. 'ck:' .. room)
return give(room, 0, nil, me)
