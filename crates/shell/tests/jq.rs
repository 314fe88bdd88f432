//! `jq` beside what jq 1.7.1 printed, and what no jq should be asked.

use podlab_shell::testing::{TestHost, run_to_end};
use podlab_shell::{FileSystem, Kind, Machine, Spawn, Stdin, Stream, debian};
use podlab_sim::{SimDuration, SimTime};
use serde_json::Value;

/// Runs jq in a terminal's userland: output, errors, exit code; -1 where it does not end within an hour.
fn jq(args: &[&str], input: &str) -> (String, String, i32) {
    within(3600, args, input)
}

fn within(seconds: u64, args: &[&str], input: &str) -> (String, String, i32) {
    let mut root = debian(SimTime::START);
    root.put("usr/bin/jq", Kind::Program("tool:jq".into()), 0o755, SimTime::START).unwrap();
    let mut host = TestHost::default();
    let mut machine = Machine::new(FileSystem::new(root));
    let mut argv = vec!["jq"];
    argv.extend(args);
    let spawn = Spawn { stdin: Stdin::Pipe, ..Spawn::new(&argv, 1) };
    let pid = machine.spawn(&mut host, spawn).unwrap();
    for part in input.as_bytes().chunks(1 << 19) {
        machine.input(1, part);
        machine.run(&mut host, 1_000_000);
    }
    machine.close_input(1);
    let code = run_to_end(&mut machine, &mut host, pid, SimDuration::from_secs(seconds));
    (host.text(Stream::Stdout), host.text(Stream::Stderr), code)
}

#[test]
fn prints_what_jq_prints() {
    let cases = include_str!("data/jq.jsonl");
    let (mut all, mut bad) = (0, Vec::new());
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let args: Vec<&str> = case["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        let expected =
            (text("stdout"), text("stderr"), i32::try_from(case["code"].as_i64().unwrap()).unwrap());
        let got = jq(&args, &text("input"));
        all += 1;
        if got != expected {
            bad.push(format!("{args:?} on {:?}\n  jq: {expected:?}\n  got {got:?}", text("input")));
        }
    }
    assert!(bad.is_empty(), "{} of {all} differ\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn regular_expressions() {
    let one = |filter: &str, input: &str| jq(&["-c", filter], input).0;
    assert_eq!(one(r#"test("B";"i"), test("x")"#, "\"abc\""), "true\nfalse\n");
    assert_eq!(one(r#"[scan("[a-z]+")]"#, "\"ab 12 cd\""), "[\"ab\",\"cd\"]\n");
    assert_eq!(one(r#"[scan("([a-z])([0-9])")]"#, "\"a1 b2\""), "[[\"a\",\"1\"],[\"b\",\"2\"]]\n");
    assert_eq!(
        one(r#"capture("(?<k>[a-z]+)=(?<v>[0-9]+)")"#, "\"cpu=12\""),
        "{\"k\":\"cpu\",\"v\":\"12\"}\n"
    );
    assert_eq!(one(r#"gsub("(?<d>[0-9])";"<\(.d)>")"#, "\"a1b22\""), "\"a<1>b<2><2>\"\n");
    assert_eq!(one(r#"sub("a";"b"), gsub("\\s+";"-")"#, "\"a  a\""), "\"b  a\"\n\"a-a\"\n");
    assert_eq!(
        one(r#"[splits(", *")], split(",";null), ascii_upcase"#, "\"a, b,c\""),
        "[\"a\",\"b\",\"c\"]\n[\"a\",\" b\",\"c\"]\n\"A, B,C\"\n"
    );
    assert_eq!(
        one(r#"[match("é(x)?";"g")|[.offset,.length,.string,.captures[0].string]]"#, "\"aéxé\""),
        "[[1,2,\"éx\",\"x\"],[3,1,\"é\",null]]\n"
    );
    let (_, errors, code) = jq(&["test(\"(?=a)\")"], "\"a\"");
    assert_eq!(code, 5);
    assert!(errors.contains("is not simulated"), "{errors}");
}

#[test]
fn filters_without_an_end_end() {
    // Held to the process' rate they go on (-1); those that want more than there is end.
    for filter in [
        "[range(1e12)]",
        "[recurse(.+1)]",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f(g): f(g|g); f(.)",
        "reduce range(1e9) as $x (null; [.])",
        "reduce range(1e9) as $x (\"a\"; . + .)",
        "reduce range(1e9) as $x ([1]; . + .)",
        "[limit(1e9; repeat(1))] | length",
        "try error(1) catch (def f: f, f; f)",
        "def f: try f catch .; f",
        ".[1e9] = 1",
        "\"a\" * 1e12",
        "[.] | until(false; [.])",
        "path(def f: .a | f; f)",
        "last(range(1e300))",
        "[while(true; .)]",
    ] {
        let (out, errors, code) = within(2, &["-n", filter], "");
        assert!(out.len() + errors.len() < 1 << 20, "{filter}");
        assert!(code != 0, "{filter}: {out} {errors}");
    }
}

#[test]
fn hostile_programs_are_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("if 1 then ", " end"),
        ("-", ""),
        ("1|", "1"),
        (".a", ""),
        ("\"\\(", "\")"),
        ("try ", ""),
        ("1+", "1"),
        ("def f: ", ";1"),
    ] {
        for n in [10, 1000, 20_000] {
            let program = format!("{}.{}", open.repeat(n), close.repeat(n));
            let (_, _, code) = jq(&["-n", &program], "");
            assert!((0..=5).contains(&code), "{open} {n}: {code}");
        }
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(jq(&["."], &deep).2, 5);
    let fine = format!("{}{}", "[".repeat(900), "]".repeat(900));
    assert_eq!(jq(&["-c", "tojson|fromjson"], &fine), (format!("{fine}\n"), String::new(), 0));
    let nested = format!(". as [$a]{} | 1", " ?// [$a]".repeat(300));
    assert!((0..=5).contains(&jq(&["-n", &nested], "").2));
}

#[test]
fn inputs_stream_and_time_is_virtual() {
    assert_eq!(jq(&["-n", "now|type"], "").0, "\"number\"\n");
    let big: String = (0..20_000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let (out, _, code) = jq(&["-s", "map(.n)|add,length"], &big);
    assert_eq!((out.as_str(), code), ("199990000\n20000\n", 0));
    let (out, _, code) = jq(&["-nr", "[inputs|.n]|.[-1]"], &big);
    assert_eq!((out.as_str(), code), ("19999\n", 0));
    assert_eq!(jq(&["-nr", "$ENV.HOME, env.PATH|type"], "").0, "string\nstring\n");
}
