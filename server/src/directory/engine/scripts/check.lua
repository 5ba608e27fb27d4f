-- ARGV: the mark of the cluster's key. At the start of each connection: calls each command that the other scripts
-- call, so that a user without the rights for some is found out now, by name; then answers the mark that is there, its
-- own if there was none.
local x, missing, wrong = p .. 'check', {}, nil
local function may(name, ...)
  local answer = redis.pcall(name, ...)
  local err = type(answer) == 'table' and answer.err
  if err and (string.find(err, "can't run", 1, true) or string.find(err, 'no permissions to run', 1, true)) then
    missing[#missing + 1] = '+' .. string.lower(name)
  elseif err then
    wrong = wrong or err
  end
  return answer
end

may('TIME')
may('SET', x, 'a')
may('GETRANGE', x, 0, 0)
may('DEL', x)
may('HSET', x, 'a', '1')
may('HGET', x, 'a')
may('HMGET', x, 'a')
may('HGETALL', x)
may('HKEYS', x)
may('HLEN', x)
may('HEXISTS', x, 'a')
may('HDEL', x, 'a')
may('SADD', x, 'a')
may('SCARD', x)
may('SMEMBERS', x)
may('SRANDMEMBER', x, 1)
may('SREM', x, 'a')
may('ZADD', x, '1', 'a')
may('ZSCORE', x, 'a')
may('ZRANGEBYSCORE', x, '0', '2')
may('ZREM', x, 'a')
may('EXISTS', x)
local mark = may('GET', p .. 'k')
if not mark then
  may('SET', p .. 'k', ARGV[1])
  mark = ARGV[1]
end
if #missing > 0 then
  return redis.error_reply('NOPERM the user has no permissions for ' .. table.concat(missing, ' '))
end
if wrong then
  return redis.error_reply(wrong)
end
return mark
