-- Puts something into the charge of this process, unless a third one was faster.
local P, charge, me, id, process = unpack(ARGV)
local now = redis.call('HGET', P..charge, id)
if now == process or now == me then
    redis.call('HSET', P..charge, id, me)
    return 1
end
return 0
