//! Several portals that start at the same moment, on a database that is new to all of them.

use std::collections::HashSet;
use std::thread;

use crate::running::{Home, Portal};

const NODES: usize = 8;
const ROUNDS: usize = 20;

/// Starts them all at once, each with what the function makes of its number. Panics if one does not start.
fn start_together(start: impl Fn(usize) -> Portal + Sync) {
    let start = &start;
    let urls: HashSet<String> = thread::scope(|scope| {
        let nodes: Vec<_> = (0..NODES).map(|node| scope.spawn(move || start(node))).collect();
        // All of them run until the last one has started.
        let nodes: Vec<Portal> = nodes.into_iter().map(|node| node.join().unwrap()).collect();
        nodes.iter().map(|node| node.url.clone()).collect()
    });
    assert_eq!(urls.len(), NODES);
}

#[test]
fn nodes_that_start_together_on_an_empty_postgres_all_start() {
    for _ in 0..ROUNDS {
        let url = crate::postgres::shared().fresh_database();
        let homes: Vec<Home> = (0..NODES).map(|_| Home::new()).collect();
        start_together(|node| {
            let home = &homes[node];
            home.start_with(&format!("database_url = \"{url}\"\n{}", home.configuration()))
        });
    }
}

#[test]
fn demos_that_start_together_on_one_file_all_start_with_the_same_secrets() {
    for _ in 0..ROUNDS {
        let home = Home::new();
        start_together(|_| home.start_demo());
    }
}
