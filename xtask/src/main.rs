//! The project's commands: serve, dist, test, bench, conformance.
fn main() {}
