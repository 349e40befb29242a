-- Returns the process that is in charge of a job ('' if none is) and its body.
local P, id = unpack(ARGV)
return {redis.call('HGET', P..'charge', id) or '', redis.call('HGET', P..'job:'..id, 'body')}
