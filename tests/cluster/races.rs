//! Every link, ticket and call sent to both nodes at once.

use std::process::{Command, Stdio};

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tower_sso::sign::generate_fernet_key;

use crate::postgres::{Postgres, shared};
use crate::running::{Company, Home, PRIVATE_KEY, browser, me, visit};
use crate::{Cluster, status};

/// How many links, tickets and calls.
const EACH: usize = 200;

/// Four copies of a request, two to each node, at once.
async fn race<F: Future>(send: impl Fn(bool) -> F) -> Vec<F::Output> {
    join_all([true, false, false, true].map(send)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_each_links_copies_one_signs_in() {
    let cluster = Cluster::start(shared());
    let company = cluster.one.company(&cluster.home, 4321).await;
    let client = client();
    let links: Vec<_> = (0..EACH).map(|_| company.link()).collect();
    for some in links.chunks(25) {
        let raced = some.iter().map(|link| {
            let path = link.strip_prefix(&cluster.one.url).unwrap();
            let addresses = [cluster.one.at(path), cluster.other.at(path)];
            let client = &client;
            race(move |first| {
                let address = addresses[usize::from(first)].clone();
                async move { status(client, &address).await }
            })
        });
        for mut outcomes in join_all(raced).await {
            outcomes.sort();
            let refused = StatusCode::UNAUTHORIZED;
            assert_eq!(outcomes, [StatusCode::SEE_OTHER, refused, refused, refused]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_each_tickets_copies_one_is_redeemed() {
    let cluster = Cluster::start(shared());
    let client = client();
    let registration = json!({
        "email": "ada@example.com", "firstName": "Ada", "lastName": "L", "organizationName": "default", "password": "x y z",
    });
    assert_eq!(post(&client, &cluster.one.at("/api/auth/register"), &registration).await.0, StatusCode::CREATED);
    for round in 0..EACH {
        let issuer = if round % 2 == 0 { &cluster.one } else { &cluster.other };
        let login = json!({"login": "ada@example.com", "token": PRIVATE_KEY});
        let (code, answer) = post(&client, &issuer.at("/api/auth/autologin"), &login).await;
        assert_eq!(code, StatusCode::OK, "{answer}");
        let path = format!("/editor?sessionId={}", answer["sessionId"].as_str().unwrap());
        let addresses = [cluster.one.at(&path), cluster.other.at(&path)];
        let mut outcomes = race(|first| status(&client, &addresses[usize::from(first)])).await;
        outcomes.sort();
        assert_eq!(outcomes[0], StatusCode::SEE_OTHER, "{outcomes:?}");
        assert!(outcomes[1..].iter().all(|outcome| *outcome == StatusCode::UNAUTHORIZED), "{outcomes:?}");
    }
}

/// Staging has its own users and keys, but by mistake the Redis of production.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ticket_of_another_deployment_signs_nobody_in() {
    let postgres: &Postgres = shared();
    let cluster = Cluster::start(postgres);
    let staging = cluster.configuration.replace("http://portal.example", "http://staging.example");
    let staging = cluster.home.start_with(&staging.replace(&cluster.database, &postgres.fresh_database()));
    let client = client();
    let registration = json!({
        "email": "ada@example.com", "firstName": "Ada", "lastName": "L", "organizationName": "default", "password": "x y z",
    });
    for portal in [&cluster.one, &staging] {
        assert_eq!(post(&client, &portal.at("/api/auth/register"), &registration).await.0, StatusCode::CREATED);
    }
    let login = json!({"login": "ada@example.com", "token": PRIVATE_KEY});
    let (code, answer) = post(&client, &staging.at("/api/auth/autologin"), &login).await;
    assert_eq!(code, StatusCode::OK, "{answer}");
    let path = format!("/editor?sessionId={}", answer["sessionId"].as_str().unwrap());
    assert_eq!(status(&client, &cluster.one.at(&path)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&client, &staging.at(&path)).await, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_each_calls_copies_one_is_carried_out_and_all_are_acknowledged() {
    let cluster = Cluster::start(shared());
    let calls = i64::try_from(EACH).unwrap();
    for number in 0..calls {
        let call = cluster.home.announcement(number, &generate_fernet_key(), "DinoTutors");
        let outcomes = race(|first| {
            let (portal, call) = (if first { &cluster.one } else { &cluster.other }, call.clone());
            async move { portal.announce(call).await.status() }
        });
        assert_eq!(outcomes.await, [StatusCode::OK; 4]);
    }
    let counted = async |outcome: &str| {
        let line = format!("tower_sso_requests_total{{form=\"webhook\",namespace=\"\",outcome=\"{outcome}\"}} ");
        let mut sum = 0;
        for portal in [&cluster.one, &cluster.other] {
            let text = browser().get(portal.at("/metrics")).send().await.unwrap().text().await.unwrap();
            sum += text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |n| n.parse::<i64>().unwrap());
        }
        sum
    };
    assert_eq!((counted("accepted").await, counted("acknowledged").await), (calls, 3 * calls));
}

/// A session is valid at every node, and all nodes see a rotation within the configured second.
#[tokio::test]
async fn what_one_node_has_done_the_other_knows() {
    let cluster = Cluster::start(shared());
    let company = cluster.one.company(&cluster.home, 4321).await;
    let browser = browser();
    let link = company.link();
    assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER);
    let (code, who) = me(&browser, &cluster.other).await;
    assert_eq!((code, &who["tenant"]), (StatusCode::OK, &Value::from("4321")));

    let at_other = |company: &Company| company.link().replace(&cluster.one.url, &cluster.other.url);
    assert_eq!(status(&browser, &at_other(&company)).await, StatusCode::SEE_OTHER, "its keys are in the cache now");
    let rotated = cluster.one.company(&cluster.home, 4321).await;
    crate::until(StatusCode::SEE_OTHER, async || status(&browser, &at_other(&rotated)).await).await;
    assert_eq!(status(&browser, &at_other(&company)).await, StatusCode::SEE_OTHER, "the previous key has its grace");
}

#[tokio::test]
async fn behind_one_address() {
    let postgres: &Postgres = shared();
    let redis = crate::Redis::start(&[]);
    let home = Home::new();
    let configuration = format!(
        "database_url = \"{}\"\nreplay_url = \"{}\"\nreplay_namespace = \"test\"\n{}",
        postgres.fresh_database(),
        redis.url(),
        home.configuration()
    );
    let program = crate::running::example("cluster");
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0", "--config"]).arg(home.write(&configuration)).stderr(Stdio::null());
    let cluster = Asked(crate::running::Portal::announced_by(&mut command, "cluster listening on ").unwrap());
    let cluster = &cluster.0;
    let company = cluster.company(&home, 4321).await;
    // One connection per request, so that each goes to the next node.
    let link = company.link();
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.push(status(&browser(), &link).await);
    }
    let refused = StatusCode::UNAUTHORIZED;
    assert_eq!(outcomes, [StatusCode::SEE_OTHER, refused, refused, refused]);
}

/// Terminated, not killed, so that it can stop its nodes.
struct Asked(crate::running::Portal);

impl Drop for Asked {
    fn drop(&mut self) {
        _ = self.0.terminate();
    }
}

fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn post(client: &Client, address: &str, body: &Value) -> (StatusCode, Value) {
    let answer = client.post(address).json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}
