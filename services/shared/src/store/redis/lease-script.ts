/**
 * Most holders that are listed, the latest ones. Each is looked up, so without a limit a client with write access to
 * Redis could exhaust the memory of the broker with holders that do not exist.
 */
const maxListed = 20_000;

/**
 * All operations of a lease, each as one atomic step. Two sorted sets hold the holders in the order in which they asked
 * and in the order of expiry. A hash tag keeps them on one shard. The script uses the clock of Redis, so pods with wrong
 * clocks agree. Both keys expire with the last holder.
 *
 * KEYS: order, expiry. ARGV: join | try | release | count | list, holder, lifetime in ms, limit (only for try).
 * Result: the number of holders before this one, or -1 for a rejected try; for count, the number of holders; for list,
 * all holders.
 */
export const leaseScript = `
local order, expiry = KEYS[1], KEYS[2]
local verb, holder = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now)) do
  redis.call('ZREM', order, dead)
  redis.call('ZREM', expiry, dead)
end

if verb == 'count' then
  return redis.call('ZCARD', order)
end
if verb == 'list' then
  return redis.call('ZRANGE', order, -${maxListed}, -1)
end
if verb == 'release' then
  redis.call('ZREM', expiry, holder)
  return redis.call('ZREM', order, holder)
end

local rank = redis.call('ZRANK', order, holder)
local before = rank or redis.call('ZCARD', order)
if verb == 'try' and before >= tonumber(ARGV[4]) then
  return -1
end
if not rank then
  local last = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')
  redis.call('ZADD', order, (last[2] or 0) + 1, holder)
end
redis.call('ZADD', expiry, now + ARGV[3], holder)

local latest = redis.call('ZRANGE', expiry, -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', order, latest)
redis.call('PEXPIREAT', expiry, latest)
return before
`;
