//! No answer and no log line holds a secret, a credential or what a credential says.
#![cfg(all(
    feature = "fernet",
    feature = "jwt",
    feature = "oauth1",
    feature = "timestamp-hash",
    feature = "webhook",
    feature = "moka",
    feature = "sign"
))]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use support::subject::{FernetSubject, Spoil, Subject, WebhookSubject, Wish, keys};
use support::{App, clock, outcome, replay};
use tracing_subscriber::fmt::MakeWriter;

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that can go wrong, and what must not be said of it.
async fn run<S: Subject>(answers: &mut String) -> (Vec<&'static str>, Vec<String>) {
    let app: App = S::app_with(keys::<S>(), replay(), clock());
    let wish = Wish { subject: "ada@example.com".into(), ..Wish::default() };
    let good = S::request(&wish);
    let mut secrets = vec!["ada@example.com".to_owned(), "whsec".into()];
    secrets.extend((0..4).map(|number| String::from_utf8(S::key(number).expose().to_vec()).unwrap()));
    if let Some(signature) = good.headers().get("webhook-signature") {
        secrets.push(signature.to_str().unwrap().to_owned());
    }
    if let Some((_, token)) = good.uri().query().unwrap().split_once("token=") {
        secrets.push(token.split('&').next().unwrap().to_owned());
    }
    let mut outcomes = Vec::new();
    let spoilt =
        [Spoil::Content, Spoil::Signature, Spoil::Twice, Spoil::Absent, Spoil::Alphabet, Spoil::Short, Spoil::Oversize];
    let spoilt = spoilt.into_iter().filter_map(|how| S::spoil(good.clone(), how));
    let unknown = S::request(&Wish { tenant: "nobody", ..wish.clone() });
    let wrong_key = S::request(&Wish { key: 3, ..wish.clone() });
    for request in spoilt.chain([unknown, wrong_key, good.clone(), good.clone()]) {
        let answer = app.send(request).await;
        outcomes.push(outcome(&answer));
        answers.push_str(&format!("{:?} {}\n", answer.headers(), String::from_utf8_lossy(answer.body())));
    }
    (outcomes, secrets)
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_said() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).with_ansi(false).finish());
    let mut answers = String::new();
    let mut secrets = Vec::new();
    for (outcomes, more) in [run::<FernetSubject>(&mut answers).await, run::<WebhookSubject>(&mut answers).await] {
        assert!(outcomes.contains(&"ok") && outcomes.contains(&"invalid") && outcomes.contains(&"malformed"));
        secrets.extend(more);
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in ["bad_signature", "unknown_key", "duplicate_parameter", "replayed", "accepted", "acknowledged"] {
        assert!(log.contains(expected), "operators see {expected}:\n{log}");
        assert!(!answers.contains("bad_signature") && !answers.contains("unknown_key"), "clients do not");
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log:\n{log}");
        assert!(!answers.contains(&secret), "{secret} is in an answer:\n{answers}");
    }
}
