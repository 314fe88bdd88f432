//! Scripts whose answers were recorded from real shells; `data/busybox.jsonl` from busybox 1.35 `sh` in an empty root.
//!
//! A script that differs must be listed in `data/known_differences.txt` (its first line), and one listed there must
//! still differ: the list can only shrink.

use podlab_shell::testing::run_argv;
use podlab_sim::SimTime;

#[test]
fn scripts_answer_as_busybox_did() {
    let records = include_str!("data/busybox.jsonl");
    let known: Vec<&str> = include_str!("data/known_differences.txt")
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with("## "))
        .collect();
    let mut failures = String::new();
    let (mut same, mut all) = (0, 0);
    for line in records.lines() {
        let Ok(r) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let text = |k: &str| r.get(k).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let script = text("script");
        let first = script.lines().next().unwrap_or_default().to_owned();
        let code = r.get("code").and_then(serde_json::Value::as_i64).unwrap_or(-1);
        let mut root = podlab_shell::busybox(SimTime::START);
        for (file, content) in [
            ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"),
            ("etc/group", "root:x:0:\nnobody:x:65534:\n"),
        ] {
            let _ = root.put_file(file, content.as_bytes(), 0o644, SimTime::START);
        }
        // Not as process 1, on which signals would have no effect.
        let got = run_argv(root, &["timeout", "100000", "env", "PATH=/bin:/usr/bin", "sh", "-c", &script]);
        all += 1;
        let ok = got.stdout == text("stdout") && got.stderr == text("stderr") && i64::from(got.code) == code;
        same += usize::from(ok);
        if ok == known.contains(&first.as_str()) {
            failures.push_str(&format!(
                "=== {script}\n--- want rc={code}\n{}{}--- got rc={}\n{}{}",
                text("stdout"),
                text("stderr"),
                got.code,
                got.stdout,
                got.stderr
            ));
        }
    }
    println!("{same} of {all} as recorded");
    assert!(failures.is_empty(), "{same} of {all} as recorded\n{failures}");
}
