-- ARGV: incarnation, beat, record, then the rooms it owns, each with its epoch.
-- Answers false to the fenced, else {{lost room, record, ...}, {held room, epoch, ...}, {incarnation, record, ...},
-- {orphan, record, ...}}.
local CHUNK, NODES_MAX, RECORDS_MAX, TOLD_MAX, FENCED_MAX = 1000, 64, 1024, 256, 16
local me = ARGV[1]
if is_fenced(me) then
  return false
end

local stored = redis.call('HGET', NODES, me)
if not stored and redis.call('HLEN', NODES) >= RECORDS_MAX then
  return redis.error_reply('ERR too many nodes')
end
local before = stored and tonumber(string.match(stored, '^1|(%d+)|'))
if not before or before < tonumber(ARGV[2]) then
  redis.call('HSET', NODES, me, ARGV[3])
end

-- A beat that a later one of the same node overtook asserts nothing: its rooms may have gone on since.
local last = #ARGV
if before and before > tonumber(ARGV[2]) then
  last = 0
end

local lost, owned = {}, 0
for from = 4, last, 2 * CHUNK do
  local names = {}
  for at = from, math.min(from + 2 * CHUNK - 1, #ARGV), 2 do
    names[#names + 1] = ARGV[at]
  end
  for index, record in ipairs(redis.call('HMGET', ROOMS, unpack(names))) do
    local room, epoch = names[index], ARGV[from + 2 * index - 1]
    if record ~= '1|' .. epoch .. '|' .. me then
      local other_epoch, owner = read(record)
      if other_epoch and other_epoch >= tonumber(epoch) then
        lost[#lost + 1] = room
        lost[#lost + 1] = record
        owned = owned - 1
      else
        if owner and owner ~= me then
          take(room, owner)
        end
        write(room, epoch, me)
      end
    end
    owned = owned + 1
  end
end

-- Only where the set of this node's rooms and its own list differ is there anything to say.
local held = {}
if redis.call('SCARD', rooms_of(me)) ~= owned then
  local listed = {}
  for at = 4, #ARGV, 2 do
    listed[ARGV[at]] = ARGV[at + 1]
  end
  for _, room in ipairs(redis.call('SMEMBERS', rooms_of(me))) do
    local epoch, owner = read(redis.call('HGET', ROOMS, room))
    if owner ~= me then
      take(room, me)
    elseif not listed[room] and #held < 2 * TOLD_MAX then
      held[#held + 1] = room
      held[#held + 1] = string.format('%.0f', epoch)
    end
  end
  for room, epoch in pairs(listed) do
    if is_owned(room, epoch, me) then
      redis.call('SADD', rooms_of(me), room)
    end
  end
end

local nodes
if redis.call('HLEN', NODES) <= NODES_MAX then
  nodes = redis.call('HGETALL', NODES)
else
  nodes = {}
  local names = redis.call('HKEYS', NODES)
  table.sort(names)
  for index = 1, NODES_MAX do
    nodes[#nodes + 1] = names[index]
    nodes[#nodes + 1] = redis.call('HGET', NODES, names[index])
  end
end

local orphans = {}
for _, who in ipairs(redis.call('SRANDMEMBER', ABANDONED, FENCED_MAX)) do
  local left = TOLD_MAX - #orphans / 2
  if left > 0 then
    local rooms = redis.call('SRANDMEMBER', rooms_of(who), left)
    if #rooms == 0 then
      redis.call('SREM', ABANDONED, who)
    end
    for _, room in ipairs(rooms) do
      local record = redis.call('HGET', ROOMS, room)
      local _, owner = read(record)
      if owner == who and is_fenced(who) then
        orphans[#orphans + 1] = room
        orphans[#orphans + 1] = record
      else
        take(room, who)
      end
    end
  end
end
return {lost, held, nodes, orphans}
