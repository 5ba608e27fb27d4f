-- ARGV: room, the epoch and the owner that were seen, the adopter. Answers the new epoch, or '' where it may not.
local room, epoch, owner, me = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local is_left = owner == me or is_fenced(owner)
if is_owned(room, epoch, owner) and is_left and not is_fenced(me) then
  return give(room, epoch, owner, me)
end
return ''
