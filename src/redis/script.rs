//! Loading and running scripts, and reading their answers.

use ::redis::aio::ConnectionLike;
use ::redis::{
    ErrorKind, FromRedisValue, RedisError, Script, ServerErrorKind, Value, cmd, from_redis_value, from_redis_value_ref,
    pipe,
};

use super::builder::ConnectError;
use super::memory::Memory;
use super::{lua, lua_tickets};
use crate::clock::UnixTime;
use crate::replay::Claimed;
use crate::store::StoreError;

pub(super) struct Scripts {
    pub(super) claim: Loaded,
    pub(super) settle: Loaded,
    pub(super) release: Loaded,
    pub(super) put: Loaded,
    pub(super) take: Loaded,
    pub(super) look_at_ticket: Loaded,
    pub(super) look: Loaded,
    pub(super) write: Loaded,
    raise: String,
}

/// A script, and the digest under which the server keeps it once loaded.
pub(super) struct Loaded {
    code: String,
    digest: String,
}

impl Loaded {
    fn new(parts: &[&str]) -> Self {
        let code = parts.concat();
        let digest = Script::new(&code).get_hash().to_owned();
        Self { code, digest }
    }
}

/// A script's answer.
pub(super) struct Answer {
    pub(super) word: String,
    pub(super) memory: Memory,
    pub(super) payload: Value,
}

impl Answer {
    /// The error for a word that the script cannot answer.
    pub(super) fn unexpected(&self) -> StoreError {
        unexpected(&self.word)
    }

    /// If the cutoff was not raised because this machine's clock is ahead of the server's.
    pub(super) fn clock_ahead(&self) -> Option<StoreError> {
        if self.word != "ahead" {
            return None;
        }
        Some(from_redis_value_ref::<u64>(&self.payload).map_or_else(StoreError::new, |milliseconds| {
            StoreError::new(format!(
                "the Redis server has lost its memory, and this machine cannot raise the cutoff: its clock is ahead of \
                 the server's by {:.1} s more than `clock_skew` allows. Set both clocks by NTP",
                milliseconds as f64 / 1_000.0
            ))
        }))
    }
}

fn unexpected(word: &str) -> StoreError {
    StoreError::new(format!("unexpected answer `{word}` from the Redis server"))
}

impl Scripts {
    /// `checked`: whether the scripts refuse a server that evicts, or does not reveal whether it does.
    pub(super) fn new(checked: bool) -> Self {
        let checked = if checked { "local checked = true\n" } else { "local checked = false\n" };
        let script = |code| Loaded::new(&[checked, lua::SERVER, lua::MEMORY, code]);
        let tickets = |code| Loaded::new(&[checked, lua::SERVER, lua::MEMORY, lua_tickets::COUNT, code]);
        let ticket = |get, code| {
            Loaded::new(&[checked, lua::SERVER, lua::MEMORY, lua_tickets::COUNT, get, lua_tickets::READ, code])
        };
        Self {
            claim: Loaded::new(&[checked, lua::SERVER, lua::MEMORY, lua::WINDOWS, lua::CLAIM]),
            settle: Loaded::new(&[lua::WHEN_FULL, checked, lua::SERVER, lua::MEMORY, lua::WINDOWS, lua::SETTLE]),
            release: script(lua::RELEASE),
            put: tickets(lua_tickets::PUT),
            take: ticket(lua_tickets::REMOVE, lua_tickets::TAKE),
            look_at_ticket: ticket(lua_tickets::KEEP, lua_tickets::LOOK),
            look: script(lua::LOOK),
            write: script(lua::WRITE),
            raise: [lua::WHEN_FULL, checked, lua::SERVER, lua::RAISE].concat(),
        }
    }

    fn all(&self) -> [&Loaded; 8] {
        [&self.claim, &self.settle, &self.release, &self.put, &self.take, &self.look_at_ticket, &self.look, &self.write]
    }

    /// Raises the cutoff and loads the scripts, in one transaction: whenever the server knows a script, the cutoff was
    /// raised at least as recently as the server lost its memory. `tolerance`, and the answer `ahead`: see
    /// [`lua::RAISE`].
    pub(super) async fn install(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        memory_key: &str,
        cutoff: UnixTime,
        tolerance: u64,
    ) -> Result<Answer, StoreError> {
        let mut transaction = pipe();
        let raise = transaction.atomic().cmd("EVAL").arg(&self.raise).arg(1).arg(memory_key);
        raise.arg(ceil_to_milliseconds(cutoff)).arg(tolerance);
        for script in self.all() {
            transaction.cmd("SCRIPT").arg("LOAD").arg(&script.code).ignore();
        }
        let (answer,) = transaction.query_async::<(Value,)>(connection).await.map_err(failure)?;
        read(answer)?.ok_or_else(|| StoreError::new("the Redis server lost its memory while the cutoff was raised"))
    }
}

/// Runs a script. Returns `None` if the server has lost its memory, or part of it.
///
/// Servers keep loaded scripts only in memory, not in snapshots, logs or replicas. So a server that does not know a
/// script has restarted or taken over from another one, and its last claims may be missing. A server that knows the
/// script may still have been a replica in between: see [`lua::SERVER`].
pub(super) async fn run(
    connection: &mut (impl ConnectionLike + Send),
    script: &Loaded,
    keys: &[&str],
    arguments: &[&[u8]],
) -> Result<Option<Answer>, StoreError> {
    let mut command = cmd("EVALSHA");
    command.arg(&script.digest).arg(keys.len()).arg(keys);
    for argument in arguments {
        command.arg(*argument);
    }
    // Unlike `query_async`, this leaves the errors of single claims in the answer.
    let answer = match connection.req_packed_command(&command).await {
        Ok(Value::ServerError(error)) => Err(error.into()),
        answer => answer,
    };
    match answer {
        Ok(answer) => read(answer),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

/// Returns `None` for `forgot`.
fn read(answer: Value) -> Result<Option<Answer>, StoreError> {
    let mut parts = from_redis_value::<Vec<Value>>(answer).map_err(StoreError::new)?.into_iter();
    let word: String = part(&mut parts)?;
    match &word[..] {
        "forgot" => Ok(None),
        "evicts" => Err(StoreError::new(ConnectError::Evicts(part(&mut parts)?))),
        "foreign" => {
            let key: String = part(&mut parts)?;
            Err(StoreError::new(format!(
                "another program writes to this namespace: choose another one, or delete the key {key}"
            )))
        }
        _ => {
            let cutoff = part::<i64>(&mut parts)?.saturating_mul(NANOS);
            let memory =
                Memory { cutoff: UnixTime::from_nanos(cutoff), raised: part(&mut parts)?, time: part(&mut parts)? };
            Ok(Some(Answer { word, memory, payload: part(&mut parts)? }))
        }
    }
}

/// Reads the answer to a single claim.
pub(super) fn claimed(answer: Value) -> Result<Claimed, StoreError> {
    match answer {
        Value::ServerError(error) => return Err(failure(error.into())),
        // A failure of this claim alone.
        Value::Array(_) => return read(answer).and_then(|_| Err(unexpected("an array"))),
        _ => {}
    }
    match &from_redis_value::<String>(answer).map_err(StoreError::new)?[..] {
        "first" => Ok(Claimed::First),
        "spent" => Ok(Claimed::Spent),
        "leased" => Ok(Claimed::Leased),
        "forgotten" => Ok(Claimed::Forgotten),
        word => Err(unexpected(word)),
    }
}

fn part<T: FromRedisValue>(parts: &mut impl Iterator<Item = Value>) -> Result<T, StoreError> {
    let part = parts.next().ok_or_else(|| StoreError::new("the Redis server's answer is too short"))?;
    from_redis_value(part).map_err(StoreError::new)
}

/// The commands that the Redis user needs.
const COMMANDS: &str = "EVAL, EVALSHA, SCRIPT LOAD, MULTI, EXEC, GET, GETDEL, SET, DEL, EXISTS, HGET, HMGET, HSET, TIME and INFO \
     (for tickets also HDEL, PEXPIRE, ZADD, ZRANGE and ZREM)";

const NANOS: i64 = 1_000_000;

pub(super) fn ceil_to_milliseconds(instant: UnixTime) -> i64 {
    let nanos = instant.as_nanos();
    nanos.div_euclid(NANOS).saturating_add(i64::from(nanos.rem_euclid(NANOS) > 0))
}

pub(super) fn floor_to_milliseconds(instant: UnixTime) -> i64 {
    instant.as_nanos().div_euclid(NANOS)
}

pub(super) fn failure(error: RedisError) -> StoreError {
    // The answer of a full server under `noeviction`.
    if any_of(&error, |code| code == "OOM") {
        StoreError::full()
    } else if let Some(refused) = permission(&error) {
        StoreError::new(format!(
            "the Redis user lacks a permission: it needs {COMMANDS} on the keys of the namespace. The \
             server says: {refused}"
        ))
    } else if error.is_timeout() {
        StoreError::timed_out()
    } else {
        StoreError::new(error)
    }
}

/// The server's message about a missing permission; in a transaction, the first one.
fn permission(error: &RedisError) -> Option<String> {
    let errors = error.clone().into_server_errors()?;
    errors.iter().find_map(|(_, error)| {
        let details = error.details().unwrap_or_default();
        let in_a_script = details.starts_with("The user executing the script can't");
        (error.code() == "NOPERM" || in_a_script).then(|| details.to_owned())
    })
}

/// Whether any error in the answer or transaction has such a code.
pub(super) fn any_of(error: &RedisError, is_one: impl Fn(&str) -> bool) -> bool {
    error.clone().into_server_errors().is_some_and(|errors| errors.iter().any(|(_, error)| is_one(error.code())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cutoff_is_never_rounded_down() {
        for (nanos, expected) in [(0, 0), (1, 1), (NANOS, 1), (NANOS + 1, 2), (-1, 0), (i64::MAX, 9_223_372_036_855)] {
            assert_eq!(ceil_to_milliseconds(UnixTime::from_nanos(nanos)), expected, "{nanos}");
        }
    }
}
