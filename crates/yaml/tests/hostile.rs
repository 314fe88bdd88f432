//! Texts made to hurt: each is answered soon, with a value or an error, and nothing panics.

use std::time::Instant;

use podlab_yaml::{ErrorKind, MAX_DEPTH, parse_document, parse_documents, parse_json, to_yaml};
use proptest::prelude::*;

const MEGABYTE: usize = 1 << 20;

/// Reads `text` and gives the error, which is empty if there is none.
fn error_of(text: &str) -> String {
    let started = Instant::now();
    let error = parse_document(text).err().map(|error| error.text).unwrap_or_default();
    // Generous, for a debug build on a busy machine; what must not happen takes minutes.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    error
}

#[test]
fn nesting_is_bounded_before_anything_recurses() {
    for text in [
        "[".repeat(10 * MEGABYTE),
        "{".repeat(10 * MEGABYTE),
        "[{".repeat(5 * MEGABYTE),
        "{a: ".repeat(3 * MEGABYTE),
    ] {
        assert_eq!(error_of(&text), "yaml: exceeded max depth of 10000");
    }
    assert_eq!(error_of(&"- ".repeat(5 * MEGABYTE)), "yaml: exceeded max depth of 10000");
    assert_eq!(error_of(&"? ".repeat(5 * MEGABYTE)), "yaml: exceeded max depth of 10000");
    let mut staircase = String::new();
    for step in 0..3000 {
        staircase.push_str(&" ".repeat(step));
        staircase.push_str("a:\n");
    }
    let own = format!("exceeded max depth of {MAX_DEPTH} (a limit of podlab's own)");
    assert!(error_of(&staircase).contains(&own));
}

#[test]
fn values_nest_as_deep_as_the_limit_says() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = parse_document(&nested(MAX_DEPTH)).unwrap().value;
    assert_eq!(parse_json(&nested(MAX_DEPTH)).unwrap(), deepest);
    assert_eq!(parse_document(&to_yaml(&deepest)).unwrap().value, deepest);
    for depth in [MAX_DEPTH + 2, 9_999] {
        assert_eq!(parse_document(&nested(depth)).unwrap_err().kind, ErrorKind::Limit);
        assert!(parse_json(&nested(depth)).is_err());
        assert!(parse_documents(&format!("{{\"a\":{}}}", nested(depth))).error.is_some());
    }
}

#[test]
fn aliases_cannot_blow_up() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert_eq!(error_of(&bomb), "yaml: document contains excessive aliasing");
    let merges = bomb.replace("[x, x, x, x, x, x, x, x, x, x]", "{a: b}").replace('[', "{<<: [");
    let merges = merges.replace(", ]", "]}");
    assert!(error_of(&merges).len() < 100);
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(MEGABYTE), "*a, ".repeat(500));
    assert!(error_of(&text).contains("unfolds to too much text"));
    assert_eq!(error_of("a: &a [*a]\n"), "yaml: anchor 'a' value contains itself");
    assert_eq!(error_of("a: &a {<<: *a}\n"), "yaml: anchor 'a' value contains itself");
}

#[test]
fn long_texts_take_time_in_proportion() {
    for text in [
        "a".repeat(MEGABYTE),
        "a ".repeat(MEGABYTE / 2),
        "a: b\n".repeat(20_000),
        "- a\n".repeat(20_000),
        format!("[{}]", "a, ".repeat(20_000)),
        format!("[{}", "[],".repeat(20_000)),
        format!("\"{}", "\\n".repeat(MEGABYTE)),
        format!("a: |\n{}", "  x\n".repeat(20_000)),
        format!("a: {}", "\n".repeat(MEGABYTE)),
        "&a ".repeat(MEGABYTE),
        "!a ".repeat(MEGABYTE),
        "'".repeat(MEGABYTE),
        "? a\n".repeat(100_000),
        "---\n".repeat(20_000),
        "{}".repeat(20_000),
        "#".repeat(MEGABYTE),
        (0..20_000).map(|i| format!("k{i}: &a{i} v\n")).collect(),
    ] {
        error_of(&text);
        let started = Instant::now();
        let read = parse_documents(&text);
        assert!(started.elapsed().as_secs() < 60);
        for document in read.documents.iter().take(3) {
            document.spans.entries(100);
            document.spans.field("k19999[3].x");
        }
    }
    for text in ["{}", "a\n---\n"] {
        let read = parse_documents(&text.repeat(100_000));
        assert_eq!(read.error.map(|error| error.kind), Some(ErrorKind::Limit));
    }
    assert!(error_of(&"- a\n".repeat(1_000_001)).contains("more than 1000000 nodes"));
}

/// Pieces that YAML gives a meaning.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a",
            "b: c",
            "- ",
            ": ",
            "? ",
            "\n",
            "\n  ",
            "\n\t",
            "\r\n",
            " ",
            "#",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a ",
            "*a",
            "!!int ",
            "!x ",
            "|",
            ">",
            "|2-\n",
            "\"",
            "'",
            "\\",
            "%YAML 1.1",
            "%TAG ! x",
            "---\n",
            "...\n",
            "<<: ",
            "~",
            "0x1F",
            "1e3",
            "2001-01-01",
            "\u{FEFF}",
            "\u{85}",
            "\u{2028}",
            "\u{1}",
            "한글",
            "😀",
            "\\u12",
            "@",
            "`",
            "!<",
            "!%41",
        ])
        .prop_map(str::to_owned),
        "[ -~]{1,3}",
        "\\PC{1,2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: ProptestConfig::default().cases.max(2000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_panics(pieces in prop::collection::vec(piece(), 0..30)) {
        let text = pieces.concat();
        let read = parse_documents(&text);
        let _ = parse_json(&text);
        if let Some(position) = read.error.and_then(|error| error.position) {
            prop_assert!(position.offset <= text.len());
            prop_assert!(position.line >= 1 && position.column >= 1);
        }
        for document in read.documents {
            to_yaml(&document.value);
            for (path, located) in document.spans.entries(50) {
                let nearest = document.spans.nearest(&path);
                prop_assert_eq!(nearest.map(|found| found.depth), Some(path.len()));
                prop_assert!(located.value.start.offset <= located.value.end.offset);
            }
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parse_documents(&String::from_utf8_lossy(&bytes));
    }
}
