//! Printing and reading are each other's inverse.

use podlab_yaml::{parse_document, parse_json, to_json_compact, to_json_indented, to_yaml};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Texts that look like something else, and texts of every character JSON and YAML both carry.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "yes",
            "n",
            "~",
            "null",
            "1",
            "0x1",
            "0o7",
            "012",
            "1_0",
            "1:30",
            "1.5e3",
            ".inf",
            "2001-01-01",
            "2001-1-1 1:2:3",
            "<<",
            "=",
            "- a",
            "a: b",
            "a #b",
            " a",
            "a ",
            "a\nb",
            "a\n",
            "\na",
            "a\n\n",
            "a \nb",
            " a\n b",
            "\t",
            "a\tb",
            "---",
            "...",
            "? a",
            "&a",
            "*a",
            "!a",
            "@",
            "`",
            "%",
            "'",
            "\"",
            "\\",
            "{}",
            "[]",
            "{",
            "a,b",
            "\r\n",
            "\u{2028}",
            "é",
            "😀",
            "한글: 값",
            "\u{A0}",
            "\u{1}",
            "\u{0}",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,12}",
        "[a-z '\":#\n]{0,40}",
        "([a-z]{1,12} {1,2}){0,30}",
        "[ -~\u{A1}-\u{2FFF}가-힣\u{1F300}-\u{1F5FF}\n\t]{0,10}",
    ]
}

/// go-yaml prints the key `<<` without quotes and takes it for a merge when it reads it.
fn key() -> impl Strategy<Value = String> {
    text().prop_filter("reads back", |key| key != "<<")
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        // A float that is an integer comes back as one, so only others are made.
        (-1e6..1e6).prop_map(|float: f64| Value::from(float.floor() + 0.5)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: ProptestConfig::default().cases.max(2000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_printed_reads_back(value in value()) {
        let yaml = to_yaml(&value);
        let read = parse_document(&yaml).map(|document| document.value);
        prop_assert_eq!(read.as_ref(), Ok(&value), "{}", yaml);
        let json = to_json_compact(&value);
        prop_assert_eq!(&parse_json(&json).unwrap(), &value);
        prop_assert_eq!(&parse_json(&to_json_indented(&value)).unwrap(), &value);
        let as_yaml = parse_document(&json).unwrap().value;
        prop_assert_eq!(&as_yaml, &value);
        prop_assert_eq!(to_yaml(&as_yaml), yaml);
    }
}
