//! Stores that cannot be tested as the others are.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_database_must_say_so_and_soon() {
    let closed: fn() -> _ = || StoreFuture::ready(Err(StoreError::new("connection refused")));
    let open: fn() -> _ = || StoreFuture::ready(Ok(Claimed::First));
    let silent: fn() -> _ = || StoreFuture::new(std::future::pending());
    for (answer, expected, seen) in [
        (closed, &[][..], ""),
        (open, &[Promise::FailsClosed], "seen: First"),
        (silent, &[Promise::FailsClosed], "no answer"),
    ] {
        let shared = MemoryReplay::new();
        let suite = testing::replay_store(async || shared.clone()).entries(1).patience(Duration::from_secs(2));
        let outcome = suite.unreachable(Down(answer)).run().await;
        assert_eq!(promises(&outcome), expected, "{outcome:?}");
        assert!(outcome.err().map_or(String::new(), |broken| broken.to_string()).contains(seen), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_the_rest_meaningless_is_said_alone() {
    let apart = testing::replay_store(async || MemoryReplay::new()).run().await;
    assert_eq!(promises(&apart), [Promise::Shared]);
    let down = testing::replay_store(async || Down(|| StoreFuture::ready(Err(StoreError::new("connection refused")))));
    let down = down.run().await;
    assert_eq!(promises(&down)[..1], [Promise::Answers]);
    let text = down.unwrap_err().to_string();
    for part in
        ["A store that is up answers.", "expected: First", "connection refused", "what to do: start the database"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn one_thread_is_not_enough() {
    let shared = MemoryReplay::new();
    let outcome = testing::replay_store(async || shared.clone()).run().await;
    assert_eq!(promises(&outcome), [Promise::SetUp]);
    assert!(format!("{:?}", outcome.unwrap_err()).contains("multi_thread"), "it says what to write");
}
