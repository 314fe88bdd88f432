//! Runs one of the bench's workloads natively, for a profiler:
//! `cargo run --release -p podlab-cluster --example workload -- NAME`.

use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_else(|| "settle_100_1000".to_owned());
    let start = Instant::now();
    let figures = podlab_cluster::workload::run(&name, &mut || start.elapsed().as_secs_f64() * 1000.0);
    match figures {
        Some(figures) => println!("{name}: {figures:?}, {:.1} µs a pod", figures.each_us()),
        None => println!("no workload is called {name}"),
    }
}
