-- Stands before each of the other scripts. KEYS[1] is what all keys begin with:
--   n     hash    incarnation -> 1|beat|record           f  sorted set  fenced incarnations by when, in ms
--   r     hash    room -> 1|epoch|owner                  a  set         fenced incarnations that have rooms
--   o:INC set     rooms of an incarnation                c  string      the epoch that was given out last
--   ck:ROOM string 1|epoch|tick|checkpoint               k  string      1|the mark of the cluster's key
-- A node's beat reads its own rooms by their numbers, and others' only by o: of those in a: what it costs does not
-- grow with the rooms of others. What is no value of these formats counts as absent. Epochs stay below 2^53, as
-- numbers are doubles here.
local p = KEYS[1]
local NODES, FENCED, ABANDONED, ROOMS, LAST = p .. 'n', p .. 'f', p .. 'a', p .. 'r', p .. 'c'

local function rooms_of(who)
  return p .. 'o:' .. who
end

local function is_fenced(who)
  return redis.call('ZSCORE', FENCED, who) ~= false
end

-- The epoch, as a number, and the owner of a room's record.
local function read(record)
  if not record then
    return nil
  end
  local epoch, owner = string.match(record, '^1|(%d+)|(%x+)$')
  return tonumber(epoch), owner
end

-- Whether a room's record is this one.
local function is_owned(room, epoch, owner)
  return redis.call('HGET', ROOMS, room) == '1|' .. epoch .. '|' .. owner
end

local function write(room, epoch, owner)
  redis.call('HSET', ROOMS, room, '1|' .. epoch .. '|' .. owner)
  redis.call('SADD', rooms_of(owner), room)
end

-- A room is an owner's no longer.
local function take(room, owner)
  redis.call('SREM', rooms_of(owner), room)
  if redis.call('EXISTS', rooms_of(owner)) == 0 then
    redis.call('SREM', ABANDONED, owner)
  end
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- An epoch above this one and all that were given out, as text; nil if there is none left.
local function above(epoch)
  local last = tonumber(redis.call('GET', LAST) or 0) or 0
  local next = math.max(epoch + 1, last + 1, now())
  if next >= 9007199254740991 then
    return nil
  end
  local text = string.format('%.0f', next)
  redis.call('SET', LAST, text)
  return text
end

-- Makes `to` the next owner of a room that had this epoch and, if any, this owner. Answers the new epoch, or '' if there
-- is none left.
local function give(room, epoch, owner, to)
  local next = above(tonumber(epoch))
  if not next then
    return ''
  end
  if owner then
    take(room, owner)
  end
  write(room, next, to)
  return next
end
