//! Layers with different windows on one server: what was used under a short one must not pass under a long one.

use std::time::Duration;

use serde_json::Value;
use tower_sso::clock::UnixTime;
use tower_sso::fernet;
use tower_sso::keys::MemoryKeys;
use tower_sso::replay::{Claim, Claimed, Group, Hold, ReplayStore, Terms};

use super::{App, NOW, Node, Redis, key, link_of, replay_key, time_to_live};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

impl Node {
    /// Another process, whose layer accepts links up to this age, in seconds.
    async fn with_window(server: &Redis, seconds: u64, max_age: u64) -> Self {
        let Self { redis, clock, .. } = Self::at(server, seconds).await;
        let layer = fernet::layer::<Value>().keys(MemoryKeys::new().with("4321", key()));
        let layer = layer.max_age(Duration::from_secs(max_age)).replay(redis.clone()).clock(clock.clone());
        Self { app: App::new(layer.build().unwrap()), redis, clock }
    }
}

/// Time goes by on the server and at the nodes: entries end, and the cutoff was raised longer ago.
fn pass(server: &Redis, nodes: &[&Node], time: Duration) {
    let script = format!(
        "redis.call('HINCRBY', key, 'raised', -{micros})
        for _, entry in ipairs(redis.call('KEYS', '*}}r:*')) do
            local left = redis.call('PTTL', entry)
            if left >= 0 then redis.call('PEXPIRE', entry, left - {millis}) end
        end
        return 1",
        micros = time.as_micros(),
        millis = time.as_millis()
    );
    assert!(server.eval("}memory", &script).starts_with(":1"));
    nodes.iter().for_each(|node| node.clock.advance(time));
}

#[tokio::test]
async fn of_an_old_and_a_new_process_side_by_side_neither_lets_in_what_the_other_used() {
    let server = Redis::start(&[]);
    let (old, new) = (Node::with_window(&server, NOW, 30).await, Node::with_window(&server, NOW, 600).await);
    let before = link_of(NOW);
    assert_eq!(old.send(&before).await, "ok");
    assert_eq!(new.send(&link_of(NOW)).await, "ok", "the longer window comes");
    pass(&server, &[&old, &new], Duration::from_secs(5));
    let since = link_of(NOW + 5);
    assert_eq!(old.send(&since).await, "ok");

    // Longer than the old one's window, its patience and what clocks may differ.
    pass(&server, &[&old, &new], Duration::from_secs(50));
    for used in [&before, &since] {
        assert_eq!(old.send(used).await, "expired");
        assert_eq!(new.send(used).await, "replayed");
    }
    for node in [&old, &new] {
        assert_eq!(node.send(&link_of(NOW + 55)).await, "ok");
    }
}

#[tokio::test]
async fn a_deployment_that_raises_a_window_does_not_reach_back() {
    let server = Redis::start(&[]);
    let old = Node::with_window(&server, NOW, 60).await;
    let used = link_of(NOW);
    assert_eq!(old.send(&used).await, "ok");
    pass(&server, &[&old], Duration::from_secs(65));
    let used_late = link_of(NOW + 60);
    assert_eq!(old.send(&used_late).await, "ok");
    pass(&server, &[&old], Duration::from_secs(25));
    drop(old);

    let new = Node::with_window(&server, NOW + 90, 300).await;
    assert_eq!(new.send(&used).await, "replayed", "used and forgotten");
    assert_eq!(new.send(&used_late).await, "replayed", "used and remembered");
    assert_eq!(new.send(&link_of(NOW + 50)).await, "ok", "its entry would not have ended yet");
    assert_eq!(new.send(&link_of(NOW + 90)).await, "ok", "made since");
}

/// The server hears of the longest window of a process with the first claim of any of its layers.
#[tokio::test]
async fn an_old_link_under_a_long_window_is_honest_though_a_short_one_was_used_before() {
    let server = Redis::start(&[]);
    let login = Node::with_window(&server, NOW, 60).await;
    let layer =
        fernet::layer::<Value>().keys(MemoryKeys::new().with("4321", key())).max_age(Duration::from_secs(86_400));
    let mail = App::new(layer.replay(login.redis.clone()).clock(login.clock.clone()).build().unwrap());
    let mail = Node { app: mail, redis: login.redis.clone(), clock: login.clock.clone() };
    assert_eq!(login.send(&link_of(NOW)).await, "ok");
    pass(&server, &[&login], Duration::from_secs(3_600));
    assert_eq!(mail.send(&link_of(NOW + 600)).await, "ok", "fifty minutes old, and never used");
}

/// A claim under a window, in seconds, of what can be used from now on. No layer was built for its group.
fn claim(number: u8, now: UnixTime, window: u64) -> Claim {
    let window = Duration::from_secs(window);
    let until = now.plus(window);
    let terms = Terms { group: Group::new("a form of its own", ""), window, usable_since: now, until };
    Claim { key: replay_key(number), now, hold: Hold::Until(until), terms }
}

#[tokio::test]
async fn a_window_that_nobody_has_any_more_shrinks_and_comes_back_like_a_new_one() {
    let server = Redis::start(&[]);
    let store = Node::new(&server).await.redis;
    let now = UnixTime::from_secs(NOW);
    let skew = 2;
    for (number, at, window, kept, why) in [
        (1, Duration::ZERO, 30, 30, "the first"),
        (2, Duration::ZERO, 600, 600, "the longest"),
        (3, Duration::ZERO, 300, 600, "one between"),
        (4, WEEK, 30, 600, "the longest may come again"),
        (5, WEEK + Duration::from_secs(601), 30, 300, "it has not come for a week"),
        (6, WEEK * 2, 30, 300, "the one between"),
        (7, WEEK * 2 + Duration::from_secs(1_000), 30, 30, "nor has that"),
        (8, WEEK * 2 + Duration::from_secs(1_001), 600, 600, "it comes again"),
        (9, WEEK * 4, 600, 600, "and goes on"),
        (10, WEEK * 4, 30, 600, "so a short one does not shrink it"),
    ] {
        assert_eq!(store.claim(&claim(number, now.plus(at), window)).await.unwrap(), Claimed::First, "{why}");
        let left = time_to_live(&server);
        let expected = (kept + skew) * 1_000;
        assert!((expected - 900..=expected).contains(&left), "{why}: {left} ms");
        server.eval("}r:", "return redis.call('DEL', key)");
    }
    // Used under the window of 30 s, when the one of 600 s had shrunk.
    let mut used = claim(7, now.plus(WEEK * 2 + Duration::from_secs(1_000)), 600);
    used.now = used.now.plus(Duration::from_secs(40));
    assert_eq!(store.claim(&used).await.unwrap(), Claimed::Forgotten);
}

#[tokio::test]
async fn what_is_settled_is_kept_for_the_longest_window_and_a_lease_for_its_own() {
    let server = Redis::start(&[]);
    let store = Node::new(&server).await.redis;
    let now = UnixTime::from_secs(NOW);
    assert_eq!(store.claim(&claim(1, now, 600)).await.unwrap(), Claimed::First);
    server.eval("}r:", "return redis.call('DEL', key)");
    let settled = claim(2, now, 30);
    let leased = Claim { hold: Hold::lease(now.plus(Duration::from_secs(10))), ..settled };
    assert_eq!(store.claim(&leased).await.unwrap(), Claimed::First);
    assert!((11_000..=12_000).contains(&time_to_live(&server)));
    store.settle(&settled).await.unwrap();
    assert!((601_000..=602_000).contains(&time_to_live(&server)));
    let timeless = Claim::new(replay_key(2), now, Hold::Until(UnixTime::MAX));
    store.settle(&timeless).await.unwrap();
    assert_eq!(time_to_live(&server), -1);
}

/// By the fastest clock that is allowed, a second ahead, it was used at the instant at which the longer window came.
#[tokio::test]
async fn a_window_does_not_reach_back_to_the_instant_at_which_it_came() {
    let server = Redis::start(&[]);
    let store = Node::new(&server).await.redis;
    let now = UnixTime::from_secs(NOW);
    let ahead = now.plus(Duration::from_secs(1));
    assert_eq!(store.claim(&claim(1, ahead, 30)).await.unwrap(), Claimed::First);
    assert_eq!(store.claim(&claim(2, now, 600)).await.unwrap(), Claimed::First);
    for _ in 0..2 {
        server.eval("}r:", "return redis.call('DEL', key)");
    }
    let after = |millis| {
        let made = ahead.plus(Duration::from_millis(millis));
        Claim { now: made.plus(Duration::from_secs(40)), ..claim(1, made, 600) }
    };
    assert_eq!(store.claim(&after(0)).await.unwrap(), Claimed::Forgotten);
    assert_eq!(store.claim(&after(1)).await.unwrap(), Claimed::First, "what was made later");
}
