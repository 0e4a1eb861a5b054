//! Clients that send half a request, send nothing, or never read. Each costs no more than configured.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::running::{Home, Portal, browser, visit};

const LONG: Duration = Duration::from_secs(20);
const HALF_A_HEAD: &str = "GET / HTTP/1.1\r\nHo";

fn start(home: &Home, connections: &str) -> Portal {
    home.start_with(&format!("{}[connections]\n{connections}", home.configuration()))
}

async fn connect(portal: &Portal, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(portal.authority()).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// Everything until the portal closes the connection.
async fn read(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is also an end.
    _ = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("the connection was not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn who_sends_half_a_head_or_nothing_is_hung_up_on() {
    let home = Home::new();
    let portal = start(&home, "head_timeout = \"300ms\"\n");
    for sent in ["", "G", HALF_A_HEAD] {
        let answer = read(connect(&portal, sent).await).await;
        assert!(!answer.contains("200"), "{sent:?}: {answer}");
    }
    let idle = "GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(read(connect(&portal, idle).await).await.starts_with("HTTP/1.1 200"), "idle after a request");
}

#[tokio::test]
async fn a_head_has_64_kib() {
    let home = Home::new();
    let portal = home.start();
    let head = |length| format!("GET /style.css HTTP/1.1\r\nConnection: close\r\nX: {}", "x".repeat(length));
    let fits = connect(&portal, &format!("{}\r\n\r\n", head(60_000))).await;
    assert!(read(fits).await.starts_with("HTTP/1.1 200"));
    // Without an end: refused for its length, not for its time.
    assert!(read(connect(&portal, &head(100_000)).await).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn eleven_hundred_idle_connections_shut_nobody_out() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let home = Home::new();
    let portal = Portal::started(&home, &mut home.command_after("ulimit -S -n 1024", &home.configuration()));
    let mut idle = Vec::new();
    for _ in 0..1_100 {
        idle.push(timeout(LONG, connect(&portal, HALF_A_HEAD)).await.unwrap());
    }
    let company = timeout(LONG, portal.company(&home, 4321)).await.expect("others are shut out");
    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER);
    drop(idle);
}

#[tokio::test]
async fn above_the_most_connections_the_next_one_waits_until_an_idle_one_ends() {
    let home = Home::new();
    let portal = start(&home, "most = 20\nhead_timeout = \"2s\"\n");
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect(&portal, HALF_A_HEAD).await);
    }
    let before = Instant::now();
    let answer = read(connect(&portal, "GET /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(before.elapsed() > Duration::from_secs(1), "it was served at once: there is no limit");
}

#[tokio::test]
async fn who_never_reads_is_hung_up_on() {
    let home = Home::new();
    let portal = start(&home, "write_timeout = \"500ms\"\n");
    let mut stream = connect(&portal, "").await;
    let requests = "GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    // Until the unread data fills all buffers on the way.
    let sending = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    timeout(LONG, sending).await.expect("the portal holds on to an answer that nobody reads");
}

#[tokio::test]
async fn it_stops_in_time_whatever_a_client_holds_open() {
    let home = Home::new();
    let mut portal = start(&home, "head_timeout = \"5m\"\nshutdown_timeout = \"1s\"\n");
    let half_a_head = connect(&portal, HALF_A_HEAD).await;
    let half_a_body = connect(
        &portal,
        "POST /tutorcruncher/companies HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: 10\r\nWebhook-Signature: 00\r\n\r\n{",
    )
    .await;
    // Both have arrived once a later one is answered.
    assert_eq!(visit(&browser(), &portal.at("/style.css")).await.0, StatusCode::OK);
    portal.ask_to_stop().unwrap();
    let before = Instant::now();
    let status = loop {
        if let Some(status) = portal.ended() {
            break status;
        }
        assert!(before.elapsed() < Duration::from_secs(10), "it is still running");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(status.code(), Some(0));
    drop((half_a_head, half_a_body));
}
