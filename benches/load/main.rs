//! The portal's login routes under load, with and without the SSO layers: latency, and the server's CPU time per request.
//!
//! ```sh
//! cargo bench --bench load                  # about two minutes; keep the machine idle
//! cargo bench --bench load -- waggl lcvista # only routes whose names contain one of these
//! cargo bench --bench load -- idle          # only the logins beside 5,000 idle connections
//! ```
//! Two servers run, each in its own process: `examples/portal`, and the same app without SSO layers (`bare.rs`). Eight
//! connections over the loopback interface send freshly signed credentials on a fixed schedule: a late answer does not postpone
//! the next request. The rate is a quarter of what the bare app can take, because the client needs CPU too. The servers
//! alternate every half second, so that other load on the machine affects both.
//!
//! The table goes to standard output. The database is a file in the temporary directory, so latencies include its disk: results
//! with another `TMPDIR` are not comparable.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

mod bare;
mod client;
mod idle;
mod links;
mod report;
mod server;
mod settings;
mod vendors;

/// The modules of the example, except its `main`, at the same paths as in its crate.
#[path = "../../examples/portal"]
#[allow(dead_code, unused_imports, reason = "no command line, configuration file or tests here")]
mod portal {
    pub(crate) mod accounts;
    pub(crate) mod app;
    pub(crate) mod caller;
    pub(crate) mod config;
    pub(crate) mod db;
    pub(crate) mod demo;
    pub(crate) mod explain;
    pub(crate) mod health;
    pub(crate) mod kits;
    pub(crate) mod log;
    pub(crate) mod operators;
    pub(crate) mod page;
    pub(crate) mod passwords;
    pub(crate) mod presets;
    pub(crate) mod problem;
    pub(crate) mod random;
    pub(crate) mod serve;
    pub(crate) mod session;
    pub(crate) mod stores;
    pub(crate) mod text;
    pub(crate) mod vendors;
}

use std::time::Duration;

use client::{Client, PACE_AT_ONCE};
use links::{LOGINS, Login};
use portal::{
    accounts, app, caller, config, db, demo, explain, health, kits, log, operators, page, passwords, presets, problem,
    random, serve, session, stores, text,
};
use report::Row;
use server::{App, Server};

/// Durations and counts. `TRY` only checks that the bench works.
struct Plan {
    /// How long to send at full rate, to warm up the servers and to measure their capacity.
    burst: Duration,
    /// How many requests to sign at once for that.
    volley: usize,
    turns: usize,
    turn: Duration,
    idle: usize,
}

const MEASURE: Plan =
    Plan { burst: Duration::from_secs(1), volley: 1_000, turns: 20, turn: Duration::from_millis(500), idle: 5_000 };
const TRY: Plan = Plan { burst: Duration::ZERO, volley: 40, turns: 1, turn: Duration::from_millis(50), idle: 50 };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((_, directory)) = App::asked_for(&arguments) {
        return server::run(directory);
    }
    // `cargo bench` passes `--bench`; `cargo test` passes nothing or `--test`.
    let says = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let plan = if says("--bench") && !says("--test") { MEASURE } else { TRY };
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_asked_for = |login: &&Login| names.is_empty() || names.iter().any(|name| login.name.contains(&**name));

    let mut layered = Client::of(Server::start(App::Portal));
    eprintln!("the portal's metrics: {}/metrics", layered.origin());
    let mut bare = Client::of(Server::start(App::Bare));
    layered.send(vec![links::company()], PACE_AT_ONCE, http::StatusCode::OK);
    let rows: Vec<Row> =
        LOGINS.iter().filter(is_asked_for).map(|login| measure(login, &plan, &mut layered, &mut bare)).collect();
    report::print("Layered / bare", &rows);
    if names.is_empty() || names.iter().any(|name| idle::NAME.contains(&**name)) {
        rlimit::increase_nofile_limit(u64::MAX).unwrap();
        let row = idle::measure(&LOGINS[1], &plan, plan.idle, &mut layered);
        report::print(&format!("The portal beside {} idle connections / without them", plan.idle), &[row]);
    }
}

fn measure(login: &Login, plan: &Plan, layered: &mut Client, bare: &mut Client) -> Row {
    burst(login, plan, layered);
    let most = burst(login, plan, bare);
    let rate = (most / 4.0).round().max(1.0);
    eprintln!("{}: the bare app takes {most:.0} requests/s; sending {rate}", login.name);

    let count = (rate * plan.turn.as_secs_f64()).ceil() as usize;
    let pace = Duration::from_secs_f64(1.0 / rate);
    let mut row = Row::new(login.name, rate);
    for turn in 0..plan.turns {
        let mut pair = [(&mut *layered, &mut row.layered), (&mut *bare, &mut row.bare)];
        // Alternate the order.
        if turn % 2 == 1 {
            pair.reverse();
        }
        for (client, side) in pair {
            let requests = login.requests(client.origin(), count);
            let before = client.server_cpu();
            let sent = client.send(requests, pace, login.status);
            side.add(sent.latencies, before.zip(client.server_cpu()).map(|(before, after)| after - before));
        }
    }
    row
}

/// The capacity in requests per second.
fn burst(login: &Login, plan: &Plan, client: &mut Client) -> f64 {
    let (mut count, mut took) = (0, Duration::ZERO);
    while count == 0 || took < plan.burst {
        took += client.send(login.requests(client.origin(), plan.volley), PACE_AT_ONCE, login.status).took;
        count += plan.volley;
    }
    count as f64 / took.as_secs_f64()
}
