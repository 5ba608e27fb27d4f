-- ARGV: room, its epoch and owner, who is to have it. Answers the new epoch, or '' where that may not be.
local room, epoch, me, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local is_there = redis.call('HEXISTS', NODES, to) == 1 and not is_fenced(to)
if is_owned(room, epoch, me) and is_there then
  return give(room, epoch, me, to)
end
return ''
