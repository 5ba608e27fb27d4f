-- ARGV: room, checkpoint with its head. Answers 1 when it is kept or a later one of its epoch is, 0 when the room is
-- another's, -1 when it has no record.
local room, key = ARGV[1], p .. 'ck:' .. ARGV[1]
local HEAD_BYTES = 40
local function head(checkpoint)
  local epoch, tick = string.match(checkpoint, '^1|(%d+)|(%d+)|')
  return tonumber(epoch) or 0, tonumber(tick) or 0
end

local current = read(redis.call('HGET', ROOMS, room))
if not current then
  return -1
end
local epoch, tick = head(ARGV[2])
-- What is no checkpoint is replaced.
local kept = redis.pcall('GETRANGE', key, 0, HEAD_BYTES - 1)
local kept_epoch, kept_tick = head(type(kept) == 'string' and kept or '')
if math.max(current, kept_epoch) > epoch then
  return 0
end
-- One that comes late, over a connection that was given up, undoes nothing.
if kept_epoch < epoch or kept_tick <= tick then
  redis.call('SET', key, ARGV[2])
end
return 1
