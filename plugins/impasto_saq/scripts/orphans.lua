-- Returns id and process of what is in the charge of this process or of one that is gone.
local P, charge, me, may_judge = unpack(ARGV)
local alive, orphans = {}, {}
local all = redis.call('HGETALL', P..charge)
for i = 1, #all, 2 do
    local process = all[i + 1]
    if alive[process] == nil then
        alive[process] = redis.call('EXISTS', P..'alive:'..process) == 1
    end
    if process == me or may_judge == '1' and not alive[process] then
        orphans[#orphans + 1] = all[i]
        orphans[#orphans + 1] = process
    end
end
return orphans
