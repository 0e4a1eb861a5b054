//! The Lua pieces that [`Scripts`](super::script::Scripts) assembles into scripts. Each script is atomic and takes one
//! round trip.
//!
//! `KEYS[1]` is a hash with everything the server must know about its memory: the cutoff, and the windows of each group
//! of layers. It is one key, so that it is lost as a whole or not at all. `KEYS[2]` is an entry, and so are the keys
//! after it for [`CLAIM`], which takes any number of claims. Tickets have [their own scripts](super::lua_tickets).
//!
//! An answer consists of a word, the cutoff and the server's time, and a payload, which for [`CLAIM`] is a list with an
//! answer to each claim. The failures `forgot`, `evicts` and `foreign` have another shape: see `read` in `script.rs`.
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
-- Finds the line without a pattern, which would be tried at each byte of a long text.
local function reported(name, value)
    local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
    return last and string.match(info, value, last + 1)
end
if type(info) == 'string' then
    if reported('role', '^%a+') ~= 'master' then
        return redis.error_reply('READONLY this server is a replica: give the address of its master')
    end
    mark, evicted = reported('master_replid', '^%x+'), reported('evicted_keys', '^%d+')
    if not mark or not evicted then
        return redis.error_reply('ERR this server does not report master_replid and evicted_keys in INFO')
    end
    local policy = reported('maxmemory_policy', '^%S+')
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
/// Each claim has nine arguments, which follow `ARGV[at]`:
///
/// | | meaning |
/// |---|---|
/// | 1, 2 | the entry's value, and how long to keep it |
/// | 3, 4 | the group, and the layer's window (0 for credentials without a time) |
/// | 5, 6 | the time by this node's clock, and by the fastest clock that the skew allows |
/// | 7, 8 | since when the credential can have been used, and when it expires without counting a window |
/// | 9 | the longest window that any layer of the group has in this process |
pub(super) const WINDOWS: &str = "
local WEEK, HOUR, BEGINNING = 604800000, 3600000, -2^53
local groups = {}
local function read_group(name)
    local stored = redis.call('HGET', KEYS[1], name)
    if not stored then return {} end
    local longest, since, least, seen, second = string.match(stored, '^(%d+) (%-?%d+) (%d+) (%-?%d+) (%d+)$')
    return longest and {
        longest = tonumber(longest), since = tonumber(since), least = tonumber(least),
        seen = tonumber(seen), second = tonumber(second)
    }
end
local function group_of(at)
    local name, window, now = ARGV[at + 3], tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
    local asked = math.max(window, tonumber(ARGV[at + 9]))
    if window == 0 then return {longest = asked, since = BEGINNING, least = asked} end
    local group, changed = groups[name] or read_group(name), true
    if not group then return nil end
    -- Until it is written: a claim whose write fails leaves the next one to read it again.
    groups[name] = nil
    if not group.longest then
        group = {longest = asked, since = BEGINNING, least = asked, seen = now, second = 0}
    elseif asked > group.longest then
        group.longest, group.since, group.seen, group.second = asked, tonumber(ARGV[at + 6]), now, group.longest
    elseif asked == group.longest then
        changed = now > group.seen + HOUR
        if changed then group.seen = now end
    else
        changed = asked > group.second
        group.second = math.max(group.second, asked)
        if now > group.seen + group.longest + WEEK then
            local second = group.second
            group.longest, group.seen, group.second = second, now, (asked < second) and asked or 0
            group.least, changed = math.min(group.least, second), true
        end
    end
    if changed then
        local numbers = {group.longest, group.since, group.least, group.seen, group.second}
        for place, number in ipairs(numbers) do numbers[place] = whole(number) end
        redis.call('HSET', KEYS[1], name, table.concat(numbers, ' '))
    end
    groups[name] = group
    return group
end
local function for_the_longest(group, at)
    local milliseconds, window = ARGV[at + 2], tonumber(ARGV[at + 4])
    if milliseconds == '' or group.longest == window then return milliseconds end
    return whole(milliseconds + group.longest - window)
end
local function may_be_forgotten(group, at)
    return group.since > BEGINNING and tonumber(ARGV[at + 7]) <= group.since
        and tonumber(ARGV[at + 8]) + group.least < tonumber(ARGV[at + 5])
end
";

/// Makes any number of claims, each as if it were alone: one that fails does not affect the others.
///
/// SET reads and writes in one command. A full server refuses it even if the entry exists, so GET follows then.
pub(super) const CLAIM: &str = "
local function held_or_kept(key, value, milliseconds)
    if milliseconds == '' then return redis.pcall('SET', key, value, 'NX', 'GET') end
    return redis.pcall('SET', key, value, 'PX', milliseconds, 'NX', 'GET')
end
local function claim(key, at)
    local group = group_of(at)
    if not group then return {'foreign', KEYS[1]} end
    local value, held = ARGV[at + 1], nil
    if may_be_forgotten(group, at) then
        held = redis.call('GET', key)
        if not held then return 'forgotten' end
    else
        held = held_or_kept(key, value, value == 's' and for_the_longest(group, at) or ARGV[at + 2])
        if not held then return 'first' end
        if type(held) == 'table' then
            local refused = held
            held = redis.call('GET', key)
            if not held then return refused end
        end
    end
    if held == 's' then return 'spent' end
    return string.find(held, '^l%d+$') and 'leased' or {'foreign', key}
end
local made = {}
for number = 2, #KEYS do
    local _, answer_or_error = pcall(claim, KEYS[number], (number - 2) * 9)
    made[number - 1] = answer_or_error
end
return answer('claimed', made)
";

/// Also runs on a full server: it replaces the lease, and a processed delivery must never be processed again.
pub(super) const SETTLE: &str = "
local group = group_of(0)
if not group then return {'foreign', KEYS[1]} end
keep(KEYS[2], ARGV[1], for_the_longest(group, 0))
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
/// On refusal it deletes the cutoff, so that another node raises it before anything is accepted, and answers the
/// highest one that it takes. The same transaction loads the scripts, so a node that cannot read the mark would
/// otherwise find both scripts and cutoff, and take incomplete data for complete.
///
/// Within the limit, each raise moves the cutoff forward. `raised` always grows too, even if the server's clock is set
/// back, because it identifies the server's memory.
pub(super) const RAISE: &str = "
local cutoff, most = tonumber(ARGV[1]), math.floor(microseconds / 1000) + tonumber(ARGV[2])
local held, last = unpack(redis.call('HMGET', KEYS[1], 'cutoff', 'raised'))
if cutoff > most then
    redis.call('DEL', KEYS[1])
    return {'ahead', whole(most), '0', whole(microseconds), whole(cutoff - most)}
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
