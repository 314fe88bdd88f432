//! A thousand histories drawn at random: what must always hold does after every event, and they are the same in wasm.
//!
//! `browser/history.test.mjs` runs the same scripts in the page; it asks this test for scripts and sums through the
//! variable `PODLAB_HISTORIES_OUT`.

mod invariants;
mod script;

use invariants::Invariants;
use podlab::state::history::watched_history;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many histories there are, unless `PODLAB_HISTORIES` says otherwise.
const HISTORIES: u64 = 1000;

/// A script, the sum of the history it makes, and how often there was something to look at.
fn one(seed: u64) -> (serde_json::Value, usize) {
    let script = script::script(seed);
    let mut invariants = Invariants::default();
    let history =
        watched_history(&script, 1, &mut |lab| invariants.check(lab)).expect("the script can be read");
    let sum = Sha256::digest(history.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    (serde_json::json!({"script": script, "sha256": sum}), invariants.looks)
}

#[test]
fn whatever_happens_a_cluster_keeps_its_invariants() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, count) =
        (number("PODLAB_HISTORIES_FROM").unwrap_or(0), number("PODLAB_HISTORIES").unwrap_or(HISTORIES));
    let next = AtomicU64::new(first);
    let run = || {
        let mut made = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return made;
            }
            let history = std::panic::catch_unwind(|| one(seed));
            made.push((
                seed,
                history.unwrap_or_else(|_| panic!("history {seed} (PODLAB_HISTORIES_FROM={seed})")),
            ));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut made: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("every history is as it must be"))
            .collect()
    });
    made.sort_by_key(|(seed, _)| *seed);
    let looks: usize = made.iter().map(|(_, (_, looks))| looks).sum();
    assert!(looks > 50 * made.len(), "{looks} changes in {} histories", made.len());
    if let Some(out) = std::env::var_os("PODLAB_HISTORIES_OUT") {
        let made: Vec<_> = made.into_iter().map(|(_, (history, _))| history).collect();
        std::fs::write(out, serde_json::Value::from(made).to_string()).expect("the histories can be written");
    }
}
