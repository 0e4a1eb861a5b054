//! Good logins beside connections that send half a head and nothing more.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::links::Login;
use crate::report::Row;
use crate::{Plan, burst};

/// Asked for by a word of it.
pub(crate) const NAME: &str = "beside idle connections";

/// The portal with and without them, in turns: they are opened anew each time, as the portal hangs up on them.
pub(crate) fn measure(login: &'static Login, plan: &Plan, count: usize, portal: &mut Client) -> Row {
    let most = burst(login, plan, portal);
    let rate = (most / 4.0).round().max(1.0);
    let pace = Duration::from_secs_f64(1.0 / rate);
    let logins = (rate * plan.turn.as_secs_f64()).ceil() as usize;
    let mut row = Row::new(login.name, rate);
    for _ in 0..plan.turns {
        row.bare.add(portal.send(login.requests(portal.origin(), logins), pace, login.status).latencies, None);
        let idle: Vec<_> = (0..count).map(|number| half_a_head(portal.origin(), number)).collect();
        row.layered.add(portal.send(login.requests(portal.origin(), logins), pace, login.status).latencies, None);
        drop(idle);
        // The portal's work with their end is not part of the next turn.
        thread::park_timeout(Duration::from_secs(1));
    }
    row
}

fn half_a_head(origin: &str, number: usize) -> TcpStream {
    // The listener's queue is short, and who finds it full tries again only after a second.
    if number % 20 == 19 {
        thread::park_timeout(Duration::from_millis(4));
    }
    let mut stream = TcpStream::connect(origin.trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: portal\r\n").unwrap();
    stream
}
