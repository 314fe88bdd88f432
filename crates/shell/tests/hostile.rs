//! Scripts made to hurt: whatever a container runs, a bounded number of steps is taken in bounded memory and time,
//! and nothing panics.

use std::time::Instant;

use podlab_shell::testing::TestHost;
use podlab_shell::{FileSystem, Machine, Next, Spawn, Stdin, Stream, busybox, debian};
use podlab_sim::SimTime;
use proptest::prelude::*;

/// Pieces of shell grammar; joined at random they make scripts that are nearly right.
const GRAMMAR: &[&str] = &[
    "echo ",
    "printf '%s\\n' ",
    "a",
    "b=1",
    "$a",
    "${a}",
    "${a:-x}",
    "${a:=y}",
    "${a:?no}",
    "${a:+z}",
    "${#a}",
    "${a#*x}",
    "${a##?}",
    "${a%%[a-z]*}",
    "${a/x/y}",
    "${a:1:2}",
    "${a:(-1)}",
    "${!a}",
    "$@",
    "\"$@\"",
    "$*",
    "$#",
    "$?",
    "$$",
    "$!",
    "$0",
    "$1",
    "$(",
    "`",
    ")",
    "$((",
    "))",
    "((",
    "1",
    "0",
    "-1",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<<",
    ">>",
    "**",
    "?",
    ":",
    "9223372036854775807",
    "i=i+1",
    "if ",
    "then ",
    "elif ",
    "else ",
    "fi",
    "for i in ",
    "do ",
    "done",
    "while ",
    "until ",
    "case ",
    " in ",
    "esac",
    ";;",
    "*)",
    "{ ",
    "}",
    "( ",
    "f() ",
    "function f ",
    "f",
    "return ",
    "break ",
    "continue ",
    "exit ",
    "exec ",
    "eval ",
    "set -- ",
    "set -e",
    "set -u",
    "set -x",
    "shift ",
    "trap ",
    "INT",
    "EXIT",
    "local ",
    "export ",
    "readonly ",
    "unset ",
    "read ",
    "test ",
    "[ ",
    " ]",
    "[[ ",
    " ]]",
    "=~",
    "-eq",
    "-n ",
    "-z ",
    "-f ",
    "!",
    "&&",
    "||",
    "|",
    "&",
    ";",
    "\n",
    " ",
    "\t",
    "'",
    "\"",
    "\\",
    "#",
    "~",
    "*",
    "?",
    "[a-z]",
    "[!",
    "]",
    "{1..3}",
    "{a,b}",
    "> ",
    ">> ",
    "< ",
    "<< E\n",
    "<<-'E'\n",
    "\nE\n",
    "<<< ",
    "2>&1",
    ">&-",
    "<&3",
    ">/dev/null",
    "/tmp/x",
    "/dev/zero",
    "/etc/passwd",
    "cat ",
    "wc ",
    "head -c 3 ",
    "tail -n 1 ",
    "sort ",
    "uniq -c ",
    "tr a-z A-Z ",
    "cut -d: -f1 ",
    "seq 1 3 ",
    "sleep 1",
    "wait ",
    "kill -9 $$",
    "jobs",
    "true ",
    "false ",
    ": ",
    "cd /",
    "pwd ",
    "ls -la ",
    "find / ",
    "xargs ",
    "date +%s ",
    "env ",
    "id ",
    "mkdir -p ",
    "rm -rf ",
    "cp ",
    "mv ",
    "ln -s ",
    "touch ",
    "chmod 777 ",
    "tee ",
    "base64 ",
    "od ",
    "hexdump ",
    "md5sum ",
    "expr ",
    "basename ",
    "dd if=/dev/zero bs=1M count=3 ",
    "yes ",
    "ps ",
    "free ",
    "df ",
    "du ",
    "timeout 1 ",
    "nc -l -p 80 ",
    "wget -qO- localhost ",
    "IFS=:",
    "a=$a$a",
    "한글",
    "\u{0}",
    "\u{7f}",
    "é",
];

fn script() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::collection::vec(prop::sample::select(GRAMMAR), 0..24).prop_map(|pieces| pieces.concat()),
        2 => prop::collection::vec(command(), 1..5).prop_map(|lines| lines.join("\n")),
        1 => prop::collection::vec(any::<u8>(), 0..80).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => "[ -~\n]{0,60}",
    ]
}

/// Commands that are right, around any words.
fn command() -> impl Strategy<Value = String> {
    let word = || prop_oneof![prop::sample::select(GRAMMAR).prop_map(str::to_owned), "[ -~]{0,10}"];
    prop_oneof![
        (word(), word()).prop_map(|(a, b)| format!("for i in 1 2 {a}; do echo $i {b}; done")),
        (word(), word()).prop_map(|(a, b)| format!("while {a}; do {b}; done")),
        (word(), word()).prop_map(|(a, b)| format!("case {a} in {b}) echo yes;; *) echo no;; esac")),
        (word(), word()).prop_map(|(a, b)| format!("if {a}; then {b}; fi | cat")),
        (word(), word()).prop_map(|(a, b)| format!("f() {{ {a}; }}; f {b}; x=$(f)")),
        (word(), word()).prop_map(|(a, b)| format!("{a} | {b} | while read x y; do echo \"$y$x\"; done")),
        (word(), word()).prop_map(|(a, b)| format!("cat <<E\n{a}$({b})\nE")),
        (word(), word()).prop_map(|(a, b)| format!("( {a} ) & {b} & wait")),
    ]
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "63",
    "64",
    "65",
    "-9223372036854775808",
    "9223372036854775807",
    "9223372036854775808",
    "0x7fffffffffffffff",
    "0xffffffffffffffff",
    "0777777777777777777777",
    "08",
    "a",
    "a++",
    "--a",
    "99999999999999999999999999",
    "",
    "1.5",
];

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "**", "<<", ">>", "<", ">", "<=", "==", "!=", "&", "|", "^", "&&", "||", ",",
    "?1:", "=", "+=", "/=", "%=", "<<=", "-=", "*=",
];

fn expression() -> impl Strategy<Value = String> {
    let number = prop::sample::select(NUMBERS).prop_map(str::to_owned);
    number.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(OPERATORS), inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (prop::sample::select(vec!["-", "~", "!", "+", "- -", "++"]), inner)
                .prop_map(|(op, a)| format!("{op}{a}")),
        ]
    })
}

/// Pieces of patterns, of sed's and of awk's programs.
const PATTERNS: &[&str] = &[
    "a",
    "b",
    ".",
    "*",
    "+",
    "?",
    "\\(",
    "\\)",
    "(",
    ")",
    "[",
    "]",
    "[^",
    "a-z",
    "[:alpha:]",
    "[[:digit:]]",
    "\\{2,3\\}",
    "{1,9999}",
    "{,}",
    "|",
    "\\|",
    "^",
    "$",
    "\\1",
    "\\9",
    "\\n",
    "\\",
    "\\b",
    "\\w",
    "\\<",
    "/",
    "x*",
    "(a*)*",
    "(a|a)*",
    "é",
    "{255}",
    "^*",
];

const SED: &[&str] = &[
    "s/",
    "/",
    "y/ab/cd/",
    "a*",
    "&",
    "\\1",
    "g",
    "p",
    "d",
    "2",
    "$",
    "1,3",
    "1~2",
    "/a/,/b/",
    "!",
    "{",
    "}",
    ";",
    "\n",
    "n",
    "N",
    "D",
    "P",
    "h",
    "H",
    "G",
    "x",
    "q",
    "q5",
    "=",
    "a\\\n text",
    "i x",
    "c y",
    ": l",
    "b l",
    "b",
    "t l",
    "T",
    "w /tmp/o",
    "r /etc/passwd",
    "l",
    "#",
    "e",
    "\\(a\\)",
    "I",
    "99999999999",
    "s/a/b/99999999999",
    "0,/a/",
    "s|a|b|",
];

const AWK: &[&str] = &[
    "BEGIN",
    "END",
    "{",
    "}",
    "print",
    "printf \"%d %s\\n\"",
    ",",
    "$0",
    "$1",
    "$NF",
    "$(",
    "$-1",
    "$99999999",
    ")",
    "(",
    "NF",
    "NR",
    "FS=\":\"",
    "NF=99999999",
    "x",
    "x++",
    "--x",
    "=",
    "==",
    "~",
    "!~",
    "/a*/",
    "/(/",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "9999",
    "1e308",
    "0",
    "\"a\"",
    "\"",
    ";",
    "\n",
    "if",
    "(1)",
    "else",
    "while(1)",
    "while(i<9)",
    "i++",
    "for(;;)",
    "for(k in a)",
    "a[x]",
    "a[1,2]",
    "delete a",
    "in",
    "getline",
    "getline < \"/etc/passwd\"",
    "length",
    "substr(x,",
    "split(\"a b\",a)",
    "sub(/a/,\"b\")",
    "gsub(/x*/,\"&&\")",
    "index(",
    "match($0,/a+/)",
    "sprintf(\"%999999999d\",1)",
    "sprintf(\"%*d\",",
    "system(\"echo hi\")",
    "next",
    "exit",
    "function f(x)",
    "f(x)",
    "return",
    "toupper(",
    "int(",
    "rand()",
    "srand()",
    "log(-1)",
    "sqrt(-1)",
    "exp(9999)",
    "> \"/tmp/z\"",
    "| \"cat\"",
    "?",
    ":",
    "&&",
    "||",
    "!",
    "x=x x",
    "# c",
];

fn pieces(of: &'static [&'static str], separator: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::collection::vec(prop::sample::select(of), 0..14).prop_map(move |pieces| pieces.join(separator)),
        1 => "[ -~]{0,20}",
    ]
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "'\\''"))
}

/// Output of a hundred steps: no step writes much more than a pipe holds.
const MAX_OUTPUT: usize = 32 << 20;

/// Steps after which a test loses patience with a program that goes on.
const MAX_STEPS: u32 = 1_000;

/// Runs a command line for a bounded number of steps and of virtual seconds; the bytes that it printed.
///
/// Afterwards it has ended, or it rests, or it is held back; in each case it is a plain value to be copied.
fn run_bounded(root: podlab_shell::Volume, argv: &[&str], stdin: &[u8]) -> String {
    let mut host = TestHost::default();
    let mut machine = Machine::new(FileSystem::new(root));
    let mut spawn = Spawn::new(argv, 1);
    spawn.stdin = Stdin::Pipe;
    let Ok(pid) = machine.spawn(&mut host, spawn) else { return String::new() };
    machine.input(1, stdin);
    machine.close_input(1);
    let mut steps = 0;
    let mut text = String::new();
    for _ in 0..200 {
        let started = Instant::now();
        let progress = machine.run(&mut host, 100);
        assert!(started.elapsed().as_secs() < 60, "{:?} for {} steps", started.elapsed(), progress.steps);
        assert!(progress.steps <= 100);
        steps += progress.steps;
        let output: usize = host.written.iter().map(|write| write.3.len()).sum();
        assert!(output < MAX_OUTPUT, "{output} bytes of output in {} steps", progress.steps);
        if text.len() < 1 << 20 {
            text += &host.text(Stream::Stdout);
        }
        host.written.clear();
        if machine.exit_of(pid).is_some() || steps > MAX_STEPS {
            break;
        }
        match progress.next {
            Next::Now => {}
            Next::At(at) => {
                assert!(at > host.now, "an instant that does not come");
                host.now = at;
            }
            Next::Never => break,
        }
    }
    let memory = machine.memory_bytes();
    // What 512 processes would hold in a real container, not what they take here.
    assert!(memory < 4 << 30 || argv.iter().any(|word| word.contains("stress")), "{memory} bytes of memory");
    let _ = (machine.clone(), machine.processes(host.now), machine.cpu_nanos(host.now));
    machine.kill_all();
    machine.run(&mut host, 10_000);
    assert!(!machine.is_running());
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_is_run_within_bounds(script in script(), shell in 0..3usize) {
        let stdin = b"one two\nthree:four\n\xff\xfe\n";
        match shell {
            0 => run_bounded(busybox(SimTime::START), &["sh", "-c", &script, "sh", "x*y"], stdin),
            1 => run_bounded(debian(SimTime::START), &["bash", "-c", &script, "bash", "a b"], stdin),
            _ => run_bounded(debian(SimTime::START), &["dash"], script.as_bytes()),
        };
    }

    #[test]
    fn any_arithmetic_has_an_answer(expression in expression(), start in prop::sample::select(NUMBERS)) {
        let script = format!("a={start}; echo $(({expression})); : $((a = 5)); let 'b = {expression}'; ((c = {expression})); [ {start} -lt 3 ]; expr {start} + 1; seq {start} {start}");
        run_bounded(busybox(SimTime::START), &["sh", "-c", &script], b"");
        run_bounded(debian(SimTime::START), &["bash", "-c", &script], b"");
    }

    #[test]
    fn any_pattern_is_matched_within_bounds(pattern in pieces(PATTERNS, ""), text in "[ab./é]{0,40}") {
        let (pattern, text) = (quoted(&pattern), quoted(&text));
        let script = format!(
            "t={text}; p={pattern}; echo $t | grep -n $p; echo $t | grep -Eo \"$p\"; echo $t | grep -Fwic \"$p\"; \
             echo $t | sed \"s/$p/<&>/g\"; echo $t | awk -v p=\"$p\" '{{ gsub(p, \"x\"); print $0 ~ p, match($0, p) }}'; \
             case $t in {pattern}) echo m;; $p) echo n;; esac; echo ${{t#$p}} ${{t%%$p}} ${{t/$p/x}}; [[ $t =~ $p ]]; expr $t : \"$p\"; \
             find /etc -name \"$p\"; echo $t | cut -d\"$p\" -f1-; echo $t | tr \"$p\" x; printf \"$p\" 1; date \"+$p\"; sort -t\"$p\" -k1 /etc/passwd"
        );
        run_bounded(busybox(SimTime::START), &["sh", "-c", &script], b"");
        run_bounded(debian(SimTime::START), &["bash", "-c", &script], b"");
    }

    #[test]
    fn any_sed_and_awk_program_is_run_within_bounds(sed in pieces(SED, ""), awk in pieces(AWK, " ")) {
        let input = b"aab b\nbab x y\n\n1:2:3\n";
        run_bounded(busybox(SimTime::START), &["sed", &sed], input);
        run_bounded(debian(SimTime::START), &["sed", "-nE", &sed], input);
        run_bounded(busybox(SimTime::START), &["awk", &awk], input);
        run_bounded(debian(SimTime::START), &["awk", "-F", &sed, &format!("{{ {awk} }}")], input);
    }

    #[test]
    fn any_arguments_of_any_tool_are_answered(
        tool in 0..1000usize,
        arguments in prop::collection::vec(
            prop_oneof!["-[a-zA-Z]{1,2}", "-[a-z][0-9]{1,20}", "--[a-z]{1,8}(=[0-9]{1,20})?", "[0-9]{1,20}[kKmMGsd]?", Just("/etc/passwd".to_owned()), Just("/".to_owned()), Just("/dev/zero".to_owned()), "[ -~]{0,6}", "%[-0-9.*+]{0,6}[a-zA-Z]"],
            0..5,
        ),
    ) {
        let root = busybox(SimTime::START);
        let mut host = TestHost::default();
        let mut machine = Machine::new(FileSystem::new(root.clone()));
        let pid = machine.spawn(&mut host, Spawn::new(&["ls", "/bin"], 1)).unwrap();
        podlab_shell::testing::run_to_end(&mut machine, &mut host, pid, std::time::Duration::from_secs(9));
        let text = host.text(Stream::Stdout);
        let tools: Vec<&str> = text.split_whitespace().collect();
        let mut argv = vec![tools[tool % tools.len()]];
        argv.extend(arguments.iter().map(String::as_str));
        run_bounded(root, &argv, b"a b\n1 2\n\xff\n");
        run_bounded(debian(SimTime::START), &argv, b"a b\n1 2\n\xff\n");
    }
}

/// What the script prints in ash, dash and bash.
fn check_ends(script: &str) -> [String; 3] {
    [
        run_bounded(busybox(SimTime::START), &["sh", "-c", script], b""),
        run_bounded(debian(SimTime::START), &["dash", "-c", script], b""),
        run_bounded(debian(SimTime::START), &["bash", "-c", script], b""),
    ]
}

#[test]
fn arithmetic_wraps_as_machines_do() {
    for (expression, want) in [
        ("9223372036854775807 + 1", "-9223372036854775808\n"),
        ("-9223372036854775807 - 2", "9223372036854775807\n"),
        ("9223372036854775807 * 2", "-2\n"),
        ("1 << 63", "-9223372036854775808\n"),
    ] {
        for printed in check_ends(&format!("echo $(({expression}))")) {
            assert_eq!(printed, want, "{expression}");
        }
    }
    for expression in [
        "1 / 0",
        "1 % 0",
        "(-9223372036854775807 - 1) / -1",
        "(-9223372036854775807 - 1) % -1",
        "1 << 64",
        "1 >> -1",
        "1 << 999999999999",
        "2 ** 9999999999",
        "2 ** -1",
    ] {
        check_ends(&format!("echo $(({expression}))"));
    }
}

#[test]
fn deep_nesting_ends_in_an_error_or_a_result() {
    for (open, inner, close) in [
        ("(", "echo hi", ")"),
        ("{ ", "echo hi", "; }"),
        ("$(", "echo hi", ")"),
        ("if true; then ", "echo hi", "; fi"),
        ("case a in a) ", "echo hi", ";; esac"),
        ("while ", "false", "; do :; done"),
        ("f() { ", ":", "; }"),
        ("echo \"$(", "echo hi", ")\""),
        ("echo ${a:-", "x", "}"),
        ("echo $((", "1", "))"),
        ("! ", "true", ""),
        ("eval ", "true", ""),
        ("[[ ! ( ", "a", " ) ]]"),
        ("cat <<E\n$(", "x", ")\nE\n"),
    ] {
        for depth in [10, 500, 20_000] {
            check_ends(&format!("{}{inner}{}", open.repeat(depth), close.repeat(depth)));
        }
    }
}

#[test]
fn greed_ends() {
    let scripts = [
        "cat <<E\nnever closed $(echo hi)",
        "cat <<'E'",
        "cat << \nE",
        "cat <<E <<F <<-G\n1\nE\n2\nF\n",
        "a=x; while :; do a=$a$a; done",
        "echo {1..1000000000}",
        "echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
        "printf '%1000000000d' 1 | wc -c",
        "printf '%.1000000000f' 1 | wc -c",
        "awk 'BEGIN { printf \"%1000000000d\", 1 }' | wc -c",
        "awk 'BEGIN { x = \"a\"; while (1) x = x x }'",
        "awk 'BEGIN { $100000000 = 1; print NF }'",
        "awk 'BEGIN { NF = 100000000; print }'",
        "awk 'BEGIN { while (1) a[n++] = n }'",
        "awk -F 's/a/b/[0-9]*xq5c y(a|b)*text' 'BEGIN { while (1) split(\"a b\", a) }'",
        "awk 'function f(x) { return f(x + 1) } BEGIN { f(1) }'",
        "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E '(a*)*b'",
        "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep '\\(a*\\)*\\1b'",
        "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E '((((a{1,100}){1,100}){1,100}){1,100})'",
        "case aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa in *a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b) echo yes;; esac",
        "echo a | sed ':l; s/a/aa/g; b l'",
        "echo a | sed ':l; b l'",
        "echo 한글a | sed ':l; H; G; h; b l'",
        "echo 한글 | sed 's/./&&&&&&&&/g;:l;s/./&&/g;H;g;b l'",
        "echo a | sed ':l; H; G; h; b l'",
        "dd if=/dev/zero of=/tmp/x bs=1G count=1000",
        "head -c 100000000000 /dev/zero > /tmp/x",
        "head -c 1000000000000 /dev/zero | wc -c",
        "tail -c 1000000000000 /dev/zero",
        "sort /dev/zero",
        "base64 /dev/zero",
        "cat /dev/zero",
        "yes | sort",
        "yes > /tmp/x",
        "seq 1 1000000000000 | tail -n 1",
        "seq 1 0 5",
        "seq 1e-300 1",
        "while read x; do :; done < /dev/zero",
        "read x < /dev/zero",
        "x=$(cat /dev/zero)",
        "x=$(yes)",
        "f() { f; }; f",
        "f() { f | f; }; f",
        "trap 'kill $$' TERM; kill $$",
        "trap 'exit' EXIT; trap 'trap' 0; exit",
        "mkdir -p $(printf 'a/%.0s' $(seq 1 1500))",
        "i=0; while [ $i -lt 300 ]; do mkdir a && cd a; i=$((i+1)); done; rm -rf /a; pwd; find / | wc -l",
        "ln -s /tmp/l /tmp/l; cat /tmp/l; ls -R /tmp; find -L /tmp; cp -r /tmp /tmp/x",
        "cp -r / /tmp/x; cp -r / /tmp/x",
        "sleep 99999999999999999999; sleep inf",
        "timeout 99999999999999999999s sleep 1",
        "date -d @99999999999999; date -d @-99999999999999; date -d 9999-99-99",
        "head -n -99999999999999999999 /etc/passwd; tail -n +18446744073709551615 /etc/passwd; cut -c 18446744073709551615- /etc/passwd",
        "xargs -n 0 < /etc/passwd; yes | xargs echo",
        "set -- $(seq 1 100000); shift 99999; echo $#",
        "IFS=; a='*'; echo /*/*/*/*/*/*",
        "exec 3<>/tmp/f; i=0; while [ $i -lt 5000 ]; do eval \"exec $i</etc/passwd\"; i=$((i+1)); done",
        "tr -c '' x < /etc/passwd; tr 'z-a' b < /etc/passwd; tr '\\0-\\377' 'a*' < /etc/passwd; tr a '[b*1000000000]' < /etc/passwd",
        "od -w1000000000 /etc/passwd; hexdump -n 99999999999 /dev/zero | head -1",
        "fold -w 0 /etc/passwd; split -b 1 /dev/zero; truncate -s 100T /tmp/t; cat /tmp/t",
    ];
    for (index, script) in scripts.into_iter().enumerate() {
        let argv = [["sh", "-c", script], ["dash", "-c", script], ["bash", "-c", script]][index % 3];
        run_bounded(
            if index % 3 == 0 { busybox(SimTime::START) } else { debian(SimTime::START) },
            &argv,
            b"",
        );
    }
}

/// Each match was once looked for in the whole text anew.
#[test]
fn a_long_line_with_very_many_matches_takes_time_in_proportion() {
    let started = Instant::now();
    let line = "head -c 200000 /dev/zero | tr '\\0' a";
    for (tool, want) in [
        ("sed s/a/b/g | tr -d b | wc -c", "0\n"),
        ("awk '{ print gsub(/a/, \"b\") }'", "200000\n"),
        ("awk '{ print split($0, parts, /a/) }'", "200001\n"),
        ("grep -o a | wc -l", "200000\n"),
    ] {
        let script = format!("{line} | {tool}");
        assert_eq!(
            run_bounded(busybox(SimTime::START), &["sh", "-c", &script], b"").trim_start(),
            want,
            "{tool}"
        );
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// Beyond 2^53 the next number is the same one.
#[test]
fn a_sequence_of_numbers_too_large_to_count_ends() {
    let printed = run_bounded(
        busybox(SimTime::START),
        &["seq", "99999999999999999999999999", "99999999999999999999999999"],
        b"",
    );
    assert_eq!(printed.lines().count(), 1, "{printed}");
}
