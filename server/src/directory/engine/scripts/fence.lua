-- ARGV: incarnation, the beat that was seen of it. Answers whether it is fenced now.
local who, beat = ARGV[1], ARGV[2]
-- A week outlives every pause of a process; whose rooms wait is kept for as long as they do.
local KEPT_MS, LOOKED_AT = 7 * 24 * 3600 * 1000, 64
if is_fenced(who) then
  return 1
end
local stored = redis.call('HGET', NODES, who)
if not stored or string.match(stored, '^1|(%d+)|') ~= beat then
  return 0
end
local at = now()
redis.call('HDEL', NODES, who)
redis.call('ZADD', FENCED, string.format('%.0f', at), who)
if redis.call('EXISTS', rooms_of(who)) == 1 then
  redis.call('SADD', ABANDONED, who)
end
local old = redis.call('ZRANGEBYSCORE', FENCED, '-inf', string.format('%.0f', at - KEPT_MS), 'LIMIT', 0, LOOKED_AT)
for _, gone in ipairs(old) do
  if redis.call('EXISTS', rooms_of(gone)) == 0 then
    redis.call('ZREM', FENCED, gone)
  end
end
return 1
