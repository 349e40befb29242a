-- Takes a lock for a lease, unless somebody has it; returns whether it did.
local _, name, token, lease = unpack(ARGV)
return redis.call('SET', name, token, 'NX', 'PX', lease) and 1 or 0
