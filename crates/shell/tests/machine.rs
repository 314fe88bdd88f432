//! Processes as a container runtime sees them.

use podlab_shell::testing::{TestHost, run, run_argv, run_to_end};
use podlab_shell::{
    Exit, FileSystem, Kind, Machine, Next, Signal, Spawn, StartError, Stdin, Stream, busybox,
};
use podlab_sim::SimTime;
use std::sync::Arc;
use std::time::Duration;

fn start(argv: &[&str]) -> (Machine, TestHost, u32) {
    let mut host = TestHost::default();
    let mut root = busybox(SimTime::START);
    root.put("usr/bin/stress", Kind::Program(Arc::from("tool:stress")), 0o755, SimTime::START).unwrap();
    let mut machine = Machine::new(FileSystem::new(root));
    let pid = machine.spawn(&mut host, Spawn::new(argv, 1)).unwrap();
    machine.run(&mut host, 100_000);
    (machine, host, pid)
}

#[test]
fn process_1_ignores_term_without_a_handler_but_not_kill_from_outside() {
    let (mut m, mut host, pid) = start(&["sh", "-c", "sleep 100000"]);
    assert_eq!(m.processes(host.now).len(), 1, "the last command takes the shell's place");
    assert!(m.signal(pid, Signal::TERM));
    m.run(&mut host, 1000);
    assert_eq!(m.exit_of(pid), None);
    m.signal(pid, Signal::KILL);
    m.run(&mut host, 1000);
    assert_eq!(m.exit_of(pid).map(Exit::code), Some(137));
}

#[test]
fn a_trap_runs_when_the_foreground_command_is_done() {
    let (mut m, mut host, pid) =
        start(&["sh", "-c", "trap \"echo bye; exit 7\" TERM; while true; do sleep 0.2; done"]);
    host.now += Duration::from_millis(1050);
    m.run(&mut host, 1000);
    m.signal(pid, Signal::TERM);
    let code = run_to_end(&mut m, &mut host, pid, Duration::from_secs(5));
    assert_eq!((code, host.text(Stream::Stdout).as_str()), (7, "bye\n"));
}

#[test]
fn a_busy_loop_takes_virtual_time_and_one_cpu() {
    let (mut m, mut host, _) = start(&["sh", "-c", "while true; do :; done"]);
    for _ in 0..40 {
        match m.run(&mut host, 20_000).next {
            Next::At(at) => host.now = at,
            other => panic!("{other:?}"),
        }
    }
    let ran = host.now.since(SimTime::START).as_secs_f64();
    let cpu = m.cpu_nanos(host.now) as f64 / 1e9;
    assert!(ran > 5.0 && cpu > ran * 0.9 && cpu < ran * 1.1, "{cpu} of {ran}");
}

#[test]
fn memory_of_a_hog_grows_to_what_it_asks_for() {
    let (mut m, mut host, _) = start(&["stress", "--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]);
    assert!(m.memory_bytes() < 140 << 20);
    for _ in 0..20 {
        if let Next::At(at) = m.run(&mut host, 1000).next {
            host.now = at;
        }
    }
    assert!(m.memory_bytes() > 250 << 20);
    assert_eq!(host.text(Stream::Stdout), "stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n");
}

#[test]
fn the_environment_is_listed_in_ash_s_order() {
    // Source: recording cluster/kubelet.jsonl, `sh -c "env; sleep 100000"`.
    let names = [
        "PATH",
        "HOSTNAME",
        "A",
        "KUBERNETES_PORT_443_TCP_PORT",
        "KUBERNETES_PORT_443_TCP_ADDR",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "KUBERNETES_PORT",
        "KUBERNETES_PORT_443_TCP",
        "KUBERNETES_SERVICE_PORT_HTTPS",
        "KUBERNETES_PORT_443_TCP_PROTO",
        "HOME",
    ];
    let mut host = TestHost::default();
    let mut m = Machine::new(FileSystem::new(busybox(SimTime::START)));
    let mut spawn = Spawn::new(&["sh", "-c", "env; exit 0"], 1);
    spawn.env = names
        .iter()
        .map(|n| ((*n).to_owned(), if *n == "PATH" { "/bin".to_owned() } else { "x".to_owned() }))
        .collect();
    let pid = m.spawn(&mut host, spawn).unwrap();
    run_to_end(&mut m, &mut host, pid, Duration::from_secs(1));
    let got: Vec<String> =
        host.text(Stream::Stdout).lines().filter_map(|l| l.split('=').next().map(str::to_owned)).collect();
    let want = [
        "KUBERNETES_SERVICE_PORT",
        "KUBERNETES_PORT",
        "HOSTNAME",
        "SHLVL",
        "HOME",
        "A",
        "KUBERNETES_PORT_443_TCP_ADDR",
        "PATH",
        "KUBERNETES_PORT_443_TCP_PORT",
        "KUBERNETES_PORT_443_TCP_PROTO",
        "KUBERNETES_PORT_443_TCP",
        "KUBERNETES_SERVICE_PORT_HTTPS",
        "KUBERNETES_SERVICE_HOST",
        "PWD",
    ];
    assert_eq!(got, want);
}

#[test]
fn commands_that_cannot_start_say_why() {
    let mut host = TestHost::default();
    let mut m = Machine::new(FileSystem::new(busybox(SimTime::START)));
    for (argv, want) in [
        ("foo", StartError::NotFoundInPath),
        ("/bin/nosuch", StartError::NoSuchFile),
        ("/etc/passwd", StartError::PermissionDenied),
    ] {
        assert_eq!(m.spawn(&mut host, Spawn::new(&[argv], 1)), Err(want), "{argv}");
    }
}

#[test]
fn a_terminal_shell_prompts_and_ends_with_its_input() {
    let mut host = TestHost::default();
    let mut m = Machine::new(FileSystem::new(busybox(SimTime::START)));
    let mut spawn = Spawn::new(&["sh"], 1);
    spawn.stdin = Stdin::Terminal;
    let pid = m.spawn(&mut host, spawn).unwrap();
    m.run(&mut host, 1000);
    assert!(m.wants_input(1));
    m.input(1, b"x=5\necho $x\nfor i in a b\ndo echo $i; done\nfoo\n");
    m.run(&mut host, 10_000);
    m.close_input(1);
    assert_eq!(run_to_end(&mut m, &mut host, pid, Duration::from_secs(5)), 127);
    let text = host.text(Stream::Stdout) + &host.text(Stream::Stderr);
    assert!(text.starts_with("/ # / # 5\n/ # > a\nb\n/ # sh: foo: not found\n/ # "), "{text:?}");
}

#[test]
fn a_copy_made_in_the_middle_goes_on_alike() {
    let (mut m, mut host, pid) =
        start(&["sh", "-c", "i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo $i | cat; sleep 1; done"]);
    host.now += Duration::from_millis(2500);
    m.run(&mut host, 10_000);
    let (mut m2, mut host2) = (m.clone(), host.clone());
    run_to_end(&mut m, &mut host, pid, Duration::from_secs(60));
    run_to_end(&mut m2, &mut host2, pid, Duration::from_secs(60));
    assert_eq!(host.written, host2.written);
    assert_eq!(host.text(Stream::Stdout), "1\n2\n3\n4\n5\n");
}

#[test]
fn hostile_scripts_end_without_panic() {
    for s in [
        "$(".repeat(5000),
        "if true; then ".repeat(3000),
        "((((((".repeat(2000),
        format!("echo $(({}1{}))", "(".repeat(3000), ")".repeat(3000)),
        "f() { f; }; f".to_owned(),
        "{ ".repeat(3000),
        "echo ${x:-".repeat(3000),
        "x=a; while :; do x=$x$x; done".to_owned(),
        "\u{0}\u{1}\u{ffff}'".to_owned(),
    ] {
        let r = run(&s);
        assert!(r.code != 0, "{}", s.chars().take(40).collect::<String>());
    }
    let r = run_argv(busybox(SimTime::START), &["sh", "-c", "f() { f | f & }; f; sleep 1; exit 3"]);
    assert!(r.code == 3 || r.code == 2);
}
