-- ARGV: room, the epoch and the owner that were seen, the adopter. Answers the new epoch, or '' where it may not.
local room, epoch, owner, me = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if
  is_fenced(me)
  or redis.call('HGET', ROOMS, room) ~= '1|' .. epoch .. '|' .. owner
  or not (owner == me or is_fenced(owner))
then
  return ''
end
local next = above(tonumber(epoch))
if not next then
  return ''
end
take(room, owner)
write(room, next, me)
return next
