//! The Lua pieces that [`Scripts`](super::script::Scripts) assembles into scripts. Each script is atomic and takes one
//! round trip.
//!
//! `KEYS[1]` is a hash with everything the server must know about its memory: the cutoff, and the windows of each group
//! of layers. It is one key, so that it is lost as a whole or not at all. `KEYS[2]` is an entry. Tickets have
//! [their own scripts](super::lua_tickets).
//!
//! An answer consists of a word, the cutoff and the server's time, and a payload. The failures `forgot`, `evicts`,
//! `foreign` and `ahead` have another shape: see `read` in `script.rs`.
//!
//! Times are integral milliseconds or microseconds. Lua's doubles are exact up to 2^53 only.

/// Reads the server's identity and time.
///
/// `mark` identifies a master: it changes at each start and at each promotion, and otherwise stays. `evicted` counts
/// evicted keys, and does not grow under `noeviction`. `checked` is false after `danger_unchecked_eviction()`: eviction
/// is then accepted, and the user need not have INFO.
pub(super) const SERVER: &str = "
local info = redis.pcall('INFO', 'replication', 'memory', 'stats')
local mark, evicted
if type(info) == 'string' then
    if not string.find(info, 'role:master', 1, true) then
        return redis.error_reply('READONLY this server is a replica: give the address of its master')
    end
    mark, evicted = string.match(info, 'master_replid:(%x+)'), string.match(info, 'evicted_keys:(%d+)')
    if not mark or not evicted then
        return redis.error_reply('ERR this server does not report master_replid and evicted_keys in INFO')
    end
    local policy = string.match(info, 'maxmemory_policy:(%S+)')
    if checked and policy ~= 'noeviction' then return {'evicts', policy or 'unknown'} end
elseif checked then
    return info
end
local time = redis.call('TIME')
local microseconds = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
";

/// Comes next in every script except [`RAISE`], and answers `forgot` if the server may have lost entries:
///
/// - There is no cutoff. Whatever deleted the data deleted the cutoff too.
/// - The cutoff was raised under another mark. The server has restarted or was a replica, so the last claims may be
///   missing.
/// - The server has evicted keys since.
pub(super) const MEMORY: &str = "
local cutoff, raised, on, less = unpack(redis.call('HMGET', KEYS[1], 'cutoff', 'raised', 'on', 'evicted'))
if not cutoff or not raised or (mark and mark ~= on) or (checked and evicted ~= less) then return {'forgot'} end
for _, number in ipairs({cutoff, raised}) do
    if not string.find(number, '^%-?%d+$') or math.abs(tonumber(number)) > 2^53 then return {'foreign', KEYS[1]} end
end
local function answer(word, payload) return {word, cutoff, raised, whole(microseconds), payload or ''} end
local function keep(key, value, milliseconds)
    if milliseconds == '' then
        redis.call('SET', key, value)
    else
        redis.call('SET', key, value, 'PX', whole(milliseconds))
    end
end
";

/// Updates the windows of a group of layers. `KEYS[1]` stores five numbers per group:
///
/// | name | meaning |
/// |---|---|
/// | `longest` | the longest window in force |
/// | `since` | since when every entry is kept for `longest` |
/// | `least` | the shortest value that `longest` ever had |
/// | `seen` | when a layer with the longest window last made a claim |
/// | `second` | the longest window of the other layers |
///
/// | `ARGV` | meaning |
/// |---|---|
/// | 1, 2 | the entry's value, and how long to keep it |
/// | 3, 4 | the group, and the layer's window (0 for credentials without a time) |
/// | 5, 6 | the time by this node's clock, and by the fastest clock that the skew allows |
/// | 7, 8 | since when the credential can have been used, and when it expires without counting a window |
/// | 9 | the longest window that any layer of the group has in this process |
pub(super) const WINDOWS: &str = "
local WEEK, HOUR, BEGINNING = 604800000, 3600000, -2^53
local group, window, now = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local asked = math.max(window, tonumber(ARGV[9]))
local longest, since, least, seen, second = asked, BEGINNING, asked, now, 0
if window > 0 then
    local before = redis.call('HGET', KEYS[1], group)
    if before then
        longest, since, least, seen, second = string.match(before, '^(%d+) (%-?%d+) (%d+) (%-?%d+) (%d+)$')
        if not longest then return {'foreign', KEYS[1]} end
        longest, since, least = tonumber(longest), tonumber(since), tonumber(least)
        seen, second = tonumber(seen), tonumber(second)
    end
    if asked > longest then
        longest, since, seen, second = asked, tonumber(ARGV[6]), now, longest
    elseif asked == longest then
        if now > seen + HOUR then seen = now end
    else
        second = math.max(second, asked)
        if now > seen + longest + WEEK then
            longest, seen, second = second, now, (asked < second) and asked or 0
            least = math.min(least, longest)
        end
    end
    local after = table.concat({whole(longest), whole(since), whole(least), whole(seen), whole(second)}, ' ')
    if after ~= before then redis.call('HSET', KEYS[1], group, after) end
end
local function for_the_longest(milliseconds)
    return milliseconds == '' and milliseconds or milliseconds + longest - window
end
local function may_be_forgotten()
    return tonumber(ARGV[7]) <= since and tonumber(ARGV[8]) + least < now
end
";

pub(super) const CLAIM: &str = "
local held = redis.call('GET', KEYS[2])
if held == 's' then return answer('spent') end
if held then return string.find(held, '^l%d+$') and answer('leased') or {'foreign', KEYS[2]} end
if may_be_forgotten() then return answer('forgotten') end
keep(KEYS[2], ARGV[1], ARGV[1] == 's' and for_the_longest(ARGV[2]) or ARGV[2])
return answer('first')
";

/// Also runs on a full server: it replaces the lease, and a processed delivery must never be processed again.
pub(super) const SETTLE: &str = "
keep(KEYS[2], ARGV[1], for_the_longest(ARGV[2]))
return answer('done')
";

pub(super) const RELEASE: &str = "
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return answer('done')
";

pub(super) const LOOK: &str = "
return answer('done')
";

/// Rewrites an existing value, which fails on a server that is full or read-only.
pub(super) const WRITE: &str = "
redis.call('HSET', KEYS[1], 'cutoff', cutoff)
return answer('done')
";

/// Raises the cutoff to `ARGV[1]`, unless that is ahead of the server's clock by more than `ARGV[2]`: a node with a
/// wrong clock must not lock out the others.
///
/// On refusal it deletes the cutoff. The same transaction loads the scripts, so a node that cannot read the mark would
/// otherwise find both scripts and cutoff, and take incomplete data for complete.
///
/// Within the limit, each raise moves the cutoff forward. `raised` always grows too, even if the server's clock is set
/// back, because it identifies the server's memory.
pub(super) const RAISE: &str = "
local cutoff, most = tonumber(ARGV[1]), math.floor(microseconds / 1000) + tonumber(ARGV[2])
local held, last = unpack(redis.call('HMGET', KEYS[1], 'cutoff', 'raised'))
if cutoff > most then
    redis.call('DEL', KEYS[1])
    return {'ahead', whole(cutoff - most)}
end
held, last = tonumber(held or ''), tonumber(last or '')
if held and held <= most then cutoff = math.max(cutoff, held + 1) end
local raised = microseconds
if last and last < 2^53 then raised = math.max(raised, last + 1) end
redis.call('HSET', KEYS[1], 'cutoff', whole(cutoff), 'raised', whole(raised))
redis.call('HSET', KEYS[1], 'on', mark or '-', 'evicted', evicted or '-')
return {'done', whole(cutoff), whole(raised), whole(microseconds), ''}
";

/// Prefix of scripts that run on a full server. A read-only server rejects such a script when it is queued, which
/// aborts the whole transaction.
pub(super) const WHEN_FULL: &str = "#!lua flags=allow-oom\n";
