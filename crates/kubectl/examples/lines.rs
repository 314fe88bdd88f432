//! Runs the lines of standard input against a fresh cluster, for trying things without a page:
//!
//! ```text
//! cargo run -p podlab-kubectl --example lines <<'END'
//! create deployment web --image=nginx --replicas=3
//! sleep 5
//! get pods -o wide
//! END
//! ```
//!
//! A line is kubectl's arguments (the word `kubectl` in front is let go), `sleep SECONDS`, or `apply <<EOF` with the
//! manifest's lines up to `EOF`. Quotes hold words together, nothing else of a shell is known.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Machine, words};
use podlab_cluster::{Cluster, Settings};
use std::io::Read as _;
use std::time::Duration;

fn main() {
    let mut input = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut input) {
        eprintln!("{error}");
        return;
    }
    let mut cluster = Cluster::new(Settings::default());
    let mut machine = Machine::default();
    let env = common::kubeconfig(&mut machine);
    let mut lines = input.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        println!("\x1b[1m$ {line}\x1b[0m");
        if let Some(seconds) = line.strip_prefix("sleep ") {
            let seconds = Duration::from_secs_f64(seconds.parse().unwrap_or(0.0));
            cluster.run_until(cluster.sim_now() + seconds, || true);
            continue;
        }
        let mut arguments = words(line.strip_prefix("kubectl ").unwrap_or(line));
        if arguments.last().is_some_and(|last| last == "<<EOF") {
            arguments.pop();
            let manifest: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "EOF").collect();
            machine.stdin = Some((manifest.join("\n") + "\n").into_bytes());
            arguments.extend(["-f".to_owned(), "-".to_owned()]);
        }
        let code = common::run(&mut cluster, &mut machine, &arguments, env.clone());
        print!("{}", String::from_utf8_lossy(&std::mem::take(&mut machine.stdout)));
        print!("{}", String::from_utf8_lossy(&std::mem::take(&mut machine.stderr)));
        if code != 0 {
            println!("[exit {code}]");
        }
    }
}
