//! A connection that is left when its server becomes a replica: [`Followed`].

use std::slice::from_ref;

use ::redis::aio::ConnectionLike;
use ::redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value, pipe};

use super::script::any_of;

/// A name or an address that moves to the new master leaves open connections where they are, and a master that becomes
/// a replica does not close them.
#[derive(Clone)]
pub(super) struct Followed<C> {
    pub(super) connection: C,
    /// Whether its server shall close it, as it then reopens by itself, to wherever its address leads.
    pub(super) closes: bool,
}

impl<C: ConnectionLike + Send> Followed<C> {
    async fn follow(&mut self, is_refused: bool) {
        if self.closes && is_refused {
            // The server closes it before PING, whose missing answer tells the client.
            _ = pipe().cmd("QUIT").cmd("PING").query_async::<()>(&mut self.connection).await;
        }
    }
}

impl<C: ConnectionLike + Send> ConnectionLike for Followed<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let result = self.connection.req_packed_command(cmd).await;
            self.follow(is_refused(&result, from_ref, is_replica)).await;
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
            let result = self.connection.req_packed_commands(pipeline, offset, count).await;
            self.follow(is_refused(&result, Vec::as_slice, is_replica)).await;
            result
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
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
