//! Runs a script in a simulated image: `sh (busybox|debian) SHELL SCRIPT`, at once, in virtual time.

use podlab_shell::testing::run_argv;
use podlab_sim::SimTime;

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let image = args.get(1).map_or("busybox", String::as_str);
    let shell = args.get(2).map_or("sh", String::as_str);
    let script = args.get(3).map_or("", String::as_str);
    let root = match image {
        "debian" => podlab_shell::debian(SimTime::START),
        _ => podlab_shell::busybox(SimTime::START),
    };
    let r = run_argv(root, &[shell, "-c", script]);
    print!("{}", r.stdout);
    eprint!("{}", r.stderr);
    eprintln!("[rc={} {}s]", r.code, r.seconds);
    std::process::ExitCode::from(u8::try_from(r.code & 0xff).unwrap_or(1))
}
