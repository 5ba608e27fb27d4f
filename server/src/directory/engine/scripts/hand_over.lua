-- ARGV: room, its epoch and owner, who is to have it. Answers the new epoch, or '' where
-- that may not be.
local room, epoch, me, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if
  redis.call('HGET', ROOMS, room) ~= '1|' .. epoch .. '|' .. me
  or redis.call('HEXISTS', NODES, to) == 0
  or is_fenced(to)
then
  return ''
end
local next = above(tonumber(epoch))
if not next then
  return ''
end
take(room, me)
write(room, next, to)
return next
