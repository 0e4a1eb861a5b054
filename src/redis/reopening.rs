//! A connection that is opened again where redis-rs would keep a useless one: [`Reopening`].

use std::slice::from_ref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::redis::aio::ConnectionLike;
use ::redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use super::script::any_of;

/// redis-rs reopens a connection that breaks. It keeps three that are of no use:
///
/// - To a server that has become a replica, which does not close it. A name or an address may lead to the new master by
///   now.
/// - One that the server refused to open: it had too many clients, or did not take the password yet.
/// - To a server that stands still: another one may have taken over its address, or its place in a cluster.
pub(super) struct Reopening<C>(Arc<Inner<C>>);

struct Inner<C> {
    current: Mutex<Current<C>>,
    /// `None`: the connection is not ours to open.
    open: Option<Box<Open<C>>>,
}

type Open<C> = dyn Fn() -> RedisResult<C> + Send + Sync;

#[derive(Clone)]
struct Current<C> {
    connection: C,
    /// How many there were before.
    number: u64,
    /// How many answers in a row did not come in time.
    late: u32,
}

/// How many answers in a row may be late. Not one: on the same connection, a release cannot overtake its claim.
const MOST_LATE: u32 = 8;

/// What an answer says of the connection.
enum Sign {
    Good,
    Late,
    Useless,
    /// It is broken.
    None,
}

impl<C> Reopening<C> {
    /// This one, until it has to be opened again, which does not wait for the server.
    pub(super) fn new(connection: C, open: impl Fn() -> RedisResult<C> + Send + Sync + 'static) -> Self {
        Self::with(connection, Some(Box::new(open)))
    }

    /// One that is never reopened here.
    pub(super) fn never(connection: C) -> Self {
        Self::with(connection, None)
    }

    fn with(connection: C, open: Option<Box<Open<C>>>) -> Self {
        Self(Arc::new(Inner { current: Mutex::new(Current { connection, number: 0, late: 0 }), open }))
    }

    fn lock(&self) -> MutexGuard<'_, Current<C>> {
        // A panic under the lock cannot have left it half changed.
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reopens the connection of this number if it is useless, unless another request has done so already.
    fn note(&self, number: u64, sign: &Sign) {
        let Some(open) = &self.0.open else { return };
        let mut current = self.lock();
        if current.number != number {
            return;
        }
        current.late = match sign {
            Sign::Good => 0,
            Sign::Late => current.late.saturating_add(1),
            Sign::Useless => MOST_LATE,
            Sign::None => current.late,
        };
        if current.late >= MOST_LATE
            && let Ok(connection) = open()
        {
            *current = Current { connection, number: number + 1, late: 0 };
        }
    }
}

impl<C: ConnectionLike + Clone + Send> ConnectionLike for Reopening<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let Current { mut connection, number, .. } = self.lock().clone();
            let result = connection.req_packed_command(cmd).await;
            self.note(number, &sign(&result, from_ref));
            result
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let Current { mut connection, number, .. } = self.lock().clone();
            let result = connection.req_packed_commands(pipeline, offset, count).await;
            self.note(number, &sign(&result, Vec::as_slice));
            result
        })
    }

    fn get_db(&self) -> i64 {
        self.lock().connection.get_db()
    }
}

impl<C> Clone for Reopening<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn sign<T>(result: &RedisResult<T>, answers: impl Fn(&T) -> &[Value]) -> Sign {
    match result {
        _ if is_refused(result, answers, is_replica) => Sign::Useless,
        Ok(_) => Sign::Good,
        Err(error) if error.is_timeout() => Sign::Late,
        Err(error) if error.is_io_error() => Sign::None,
        Err(error) if error.clone().into_server_errors().is_some() => Sign::Good,
        // Neither broken, nor a server's answer to a command.
        Err(_) => Sign::Useless,
    }
}

/// Whether the server refuses with such a code, as a whole or a part of it.
pub(super) fn is_refused<T>(
    result: &RedisResult<T>,
    answers: impl Fn(&T) -> &[Value],
    is_one: impl Copy + Fn(&str) -> bool,
) -> bool {
    fn holds(answer: &Value, is_one: impl Copy + Fn(&str) -> bool) -> bool {
        match answer {
            Value::ServerError(error) => is_one(error.code()),
            Value::Array(answers) => answers.iter().any(|answer| holds(answer, is_one)),
            _ => false,
        }
    }
    match result {
        // Inside an answer, a server's refusal is a value and not an `Err`.
        Ok(answer) => answers(answer).iter().any(|answer| holds(answer, is_one)),
        Err(error) => any_of(error, is_one),
    }
}

pub(super) fn is_replica(code: &str) -> bool {
    matches!(code, "READONLY" | "MASTERDOWN")
}
