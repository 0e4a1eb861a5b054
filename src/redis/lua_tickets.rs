//! What the server runs for tickets; it begins like [the others](super::lua).
//!
//! | key | type | what it holds | it goes |
//! |---|---|---|---|
//! | `{namespace}t:…` | string | a ticket | when it is taken, or by its own expiry |
//! | `{namespace}s:…` | hash | what the tickets of one call share, its bytes, how many are left | the same |
//! | `{namespace}held` | hash | bytes: in `total`, by tenant, by period (`{end} {tenant}`) | with the last period |
//! | `{namespace}ends` | sorted set | each period by its end | with the last period |
//!
//! A period is the second in which tickets of a tenant end, and one more: few, however many tickets there are.
//!
//! A script that takes a ticket finds the name of `s:…` only in the ticket, so it cannot declare that key. It is in
//! the same slot as the others, which the script does declare: while the slot moves, they make the script fail.
//!
//! # Why the count cannot drift
//!
//! `total` and each tenant's sum are the sums of the periods' bytes: [`COUNT`] changes all three by the same number, in
//! one script. Whatever leaves a period wrong, it does not outlive it: a period is removed after its end, with what is
//! still counted in it, and all its tickets have ended by then. A ticket gives back no more than its period still has,
//! and nothing if its period is gone. So a server's clock that is set back, or a ticket deleted by hand, makes the
//! count wrong for one period at most. Tickets and counts change in one script, so a snapshot, a log and a replica have
//! both or neither.

/// Needs [`MEMORY`](super::lua::MEMORY). `KEYS[2]` is `held`, and `KEYS[3]` is `ends`.
pub(super) const COUNT: &str = "
local HELD, ENDS = KEYS[2], KEYS[3]
local function bytes_of(field) return tonumber(redis.call('HGET', HELD, field)) or 0 end
local function change(field, bytes)
    local after = bytes_of(field) + bytes
    if after > 0 then redis.call('HSET', HELD, field, whole(after)) else redis.call('HDEL', HELD, field) end
    return after
end
local function count(period, bytes)
    change(string.match(period, '%S+$'), bytes)
    change('total', bytes)
    return change(period, bytes)
end
local function give_back(period, bytes)
    if count(period, -math.min(bytes, bytes_of(period))) <= 0 then redis.call('ZREM', ENDS, period) end
end
";

/// Keeps the tickets of one call, or none of them.
///
/// `KEYS[4]` is for what they share, and each further key a ticket. `ARGV`: how long to keep them, the tenant, the
/// ceiling, the bytes that all count for, those that the shared part counts for, its name and itself; then, for each
/// ticket, the bytes that it counts for and its value.
///
/// The order matters where the server refuses a command halfway, as a script has no way back. The first write is one
/// that a full server refuses: once a script has written, it may go on. Next come the counts, so that a user who lacks
/// a permission for them stores nothing; what was counted in vain ends with its period.
pub(super) const PUT: &str = "
local SOME, MANY = 32, 1024
local tenant, ceiling, bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for key = 4, #KEYS do
    if redis.call('EXISTS', KEYS[key]) == 1 then return answer('taken') end
end
local maxmemory = type(info) == 'string' and tonumber(string.match(info, 'maxmemory:(%d+)')) or 0
if maxmemory > 0 then ceiling = math.min(ceiling, maxmemory / 2) end

redis.call('HSET', KEYS[1], 'cutoff', cutoff)
if redis.call('EXISTS', ENDS) == 0 then redis.call('DEL', HELD) end
local now = math.floor(microseconds / 1000)
local function remove_ended()
    local ended = redis.call('ZRANGE', ENDS, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, SOME)
    for _, period in ipairs(ended) do give_back(period, math.huge) end
    return #ended
end
local removed = remove_ended()
while bytes_of(tenant) + bytes_of('total') + bytes > ceiling do
    local more = removed < MANY and remove_ended() or 0
    if more == 0 then return answer('full') end
    removed = removed + more
end

-- Later than what is counted in it, the shared part too.
local milliseconds, ends = ARGV[1], '+inf'
if milliseconds ~= '' then ends = whole(math.floor((now + milliseconds) / 1000) * 1000 + 2000) end
local period = ends .. ' ' .. tenant
redis.call('ZADD', ENDS, ends, period)
count(period, bytes)

local name = '-'
if ARGV[6] ~= '' then
    name = ARGV[6]
    redis.call('HSET', KEYS[4], 'shared', ARGV[7], 'left', #KEYS - 4, 'bytes', ARGV[5])
    -- A little longer than the tickets, so that none is ever without it.
    if milliseconds ~= '' then redis.call('PEXPIRE', KEYS[4], whole(milliseconds + 1000)) end
end
for key = 5, #KEYS do
    local at = 8 + (key - 5) * 2
    local value = table.concat({raised, ARGV[at], name, period}, ' ') .. ':' .. ARGV[at + 1]
    keep(KEYS[key], value, milliseconds)
end
return answer('done')
";

/// What follows reads the ticket `KEYS[4]`. `ARGV[1]` is what the keys of shared parts begin with.
///
/// A ticket is marked with the moment at which the cutoff was raised under which it was issued. One with another mark
/// was brought back by a restart from older data: it may have been redeemed since.
pub(super) const READ: &str = "
local held = redis.call(GET, KEYS[4])
if not held then return answer('none') end
local under, bytes, name, period, value = string.match(held, '^(%-?%d+) (%d+) ([%w_-]+) ([%d+inf]+ [%w_-]+):(.*)$')
if not under then return {'foreign', KEYS[4]} end
local key, shared, left, its_bytes = ARGV[1] .. name, '', 0, 0
if name ~= '-' then
    shared, left, its_bytes = unpack(redis.call('HMGET', key, 'shared', 'left', 'bytes'))
    left, its_bytes = tonumber(left), tonumber(its_bytes)
end
local is_whole = shared and left and its_bytes
local function ticket()
    if not is_whole or under ~= raised then return answer('none') end
    return answer('ticket', string.sub(value, 1, 8) .. shared .. string.sub(value, 9))
end
";

/// Before [`READ`]: what is read stays.
pub(super) const KEEP: &str = "local GET = 'GET'\n";

/// Before [`READ`]: what is read goes, whatever it is.
pub(super) const REMOVE: &str = "local GET = 'GETDEL'\n";

pub(super) const LOOK: &str = "
return ticket()
";

pub(super) const TAKE: &str = "
give_back(period, tonumber(bytes))
if name ~= '-' and is_whole then
    if left > 1 then
        redis.call('HSET', key, 'left', whole(left - 1))
    else
        redis.call('DEL', key)
        give_back(period, its_bytes)
    end
end
return ticket()
";
