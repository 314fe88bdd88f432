//! Selectors, quantities, durations and JSONPath: what is printed reads back, sums agree with plain arithmetic,
//! and any text is answered.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use podlab_api::Quantity;
use podlab_api::duration::{go_duration, human_duration, short_human_duration};
use podlab_api::int_or_string::{self, Rounding};
use podlab_api::jsonpath::{JsonPath, relaxed_json_path_expression};
use podlab_api::selector::field::{escape_value, split_term, split_terms, unescape_value};
use podlab_api::selector::label_selector::{
    format_label_selector, label_selector_as_map, label_selector_as_selector, parse_to_label_selector,
};
use podlab_api::selector::supported_fields::parse_field_selector;
use podlab_api::selector::{FieldSelector, Operator, Requirement, Selector};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts of a language's own pieces, and any others.
fn text_of(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(pieces), 0..16).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => (prop::collection::vec(prop::sample::select(pieces), 0..6), any::<String>())
            .prop_map(|(pieces, text)| pieces.join(&text)),
    ]
}

const SELECTOR_PIECES: &[&str] = &[
    "a",
    "b1",
    "app",
    "x.y/z",
    ",",
    "=",
    "==",
    "!=",
    "!",
    ">",
    "<",
    " in ",
    " notin ",
    "(",
    ")",
    " ",
    "in",
    "notin",
    "\t",
    "1",
    "-5",
    "9223372036854775808",
    "/",
    "-",
    "_",
    "\\",
    "한",
    "\u{0}",
];

fn operator() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::In,
        Operator::NotIn,
        Operator::Equals,
        Operator::DoubleEquals,
        Operator::NotEquals,
        Operator::Exists,
        Operator::DoesNotExist,
        Operator::GreaterThan,
        Operator::LessThan,
    ])
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]",
        "[a-zA-Z0-9]([-_.a-z0-9]{0,8}[a-z0-9])?",
        "([a-z0-9]{1,4}\\.){0,2}[a-z]{1,4}/[a-z]{1,4}"
    ]
}

fn label_value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "", "[0-9]{1,19}", "[a-zA-Z0-9]([-_.a-z0-9]{0,8}[a-z0-9])?"]
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(key(), label_value(), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_selector_prints_what_it_is_read_from(
        parts in prop::collection::vec((key(), operator(), prop::collection::vec(label_value(), 0..4)), 0..4),
        labels in labels(),
    ) {
        let mut requirements = Vec::new();
        for (key, operator, mut values) in parts {
            values.sort_unstable();
            values.dedup();
            requirements.extend(Requirement::new(&key, operator, values));
        }
        let selector = Selector::from_requirements(requirements);
        let text = selector.to_string();
        let read = Selector::parse(&text);
        prop_assert!(read.is_ok(), "{}: {:?}", text, read);
        let read = read.unwrap();
        prop_assert_eq!(read.matches(&labels), selector.matches(&labels), "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn any_text_is_a_selector_or_an_error(text in text_of(SELECTOR_PIECES), labels in labels()) {
        let spanned = Selector::parse_spanned(&text);
        for requirement in &spanned.requirements {
            prop_assert!(text.get(requirement.span.clone()).is_some(), "{:?}", requirement.span);
        }
        if let Ok(selector) = Selector::parse(&text) {
            let printed = selector.to_string();
            let again = Selector::parse(&printed);
            prop_assert!(again.is_ok(), "{:?} printed {:?}: {:?}", text, printed, again);
            let again = again.unwrap();
            prop_assert_eq!(again.to_string(), printed);
            prop_assert_eq!(again.matches(&labels), selector.matches(&labels));
        }
        if let Ok(object) = parse_to_label_selector(&text) {
            let selector = label_selector_as_selector(Some(&object)).unwrap();
            prop_assert_eq!(selector.matches(&labels), Selector::parse(&text).unwrap().matches(&labels));
        }
    }

    #[test]
    fn a_selector_of_labels_matches_these_labels(labels in labels(), others in labels()) {
        let selector = Selector::from_set(&labels);
        prop_assert!(selector.matches(&labels));
        let has_all = labels.iter().all(|(key, value)| others.get(key) == Some(value));
        prop_assert_eq!(selector.matches(&others), has_all);
        let object = LabelSelector { match_labels: Some(labels.clone()), match_expressions: None };
        prop_assert_eq!(label_selector_as_selector(Some(&object)), Ok(selector));
        prop_assert_eq!(label_selector_as_map(Some(&object)), Ok(labels));
    }

    #[test]
    fn any_label_selector_object_is_a_selector_or_an_error(
        match_labels in prop::option::of(prop::collection::btree_map(text_of(SELECTOR_PIECES), text_of(SELECTOR_PIECES), 0..3)),
        expressions in prop::option::of(prop::collection::vec(
            (
                prop_oneof![key(), text_of(SELECTOR_PIECES)],
                prop_oneof!["In|NotIn|Exists|DoesNotExist|Gt", any::<String>()],
                prop::option::of(prop::collection::vec(prop_oneof![label_value(), any::<String>()], 0..3)),
            ),
            0..3,
        )),
        labels in labels(),
    ) {
        let match_expressions = expressions.map(|all| {
            all.into_iter().map(|(key, operator, values)| LabelSelectorRequirement { key, operator, values }).collect()
        });
        let object = LabelSelector { match_labels, match_expressions };
        let _ = label_selector_as_map(Some(&object));
        let printed = format_label_selector(Some(&object));
        match label_selector_as_selector(Some(&object)) {
            Err(_) => prop_assert_eq!(printed, "<error>"),
            Ok(selector) if selector.is_empty() => prop_assert_eq!(printed, "<none>"),
            Ok(selector) => {
                let read = Selector::parse(&printed);
                prop_assert!(read.is_ok(), "{:?}: {:?}", printed, read);
                prop_assert_eq!(read.unwrap().matches(&labels), selector.matches(&labels));
            }
        }
    }

    #[test]
    fn any_text_is_a_field_selector_or_an_error(
        text in text_of(&["metadata.name", "status.phase", "=", "==", "!=", ",", "\\", "\\,", "a", "Running", " ", "é"]),
        value in any::<String>(),
    ) {
        prop_assert_eq!(unescape_value(&escape_value(&value)), Ok(value));
        for term in split_terms(&text) {
            let _ = split_term(term);
        }
        let _ = parse_field_selector("v1", "Pod", &text);
        if let Ok(selector) = FieldSelector::parse(&text) {
            let printed = selector.to_string();
            let again = FieldSelector::parse(&printed);
            prop_assert!(again.is_ok(), "{:?} printed {:?}: {:?}", text, printed, again);
            // Terms are sorted as they were typed, with `=` or `==`.
            let again = again.unwrap().to_string();
            let sorted = |text: &str| {
                let mut terms: Vec<String> = split_terms(text).into_iter().map(str::to_owned).collect();
                terms.sort_unstable();
                terms
            };
            prop_assert_eq!(sorted(&again), sorted(&printed));
        }
    }
}

/// (suffix, factor × 10⁹, divisor)
const SUFFIXES: &[(&str, i128)] = &[
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", 1_000_000_000),
    ("k", 1_000_000_000_000),
    ("M", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000_000_000),
    ("e3", 1_000_000_000_000),
    ("e-2", 10_000_000),
    ("E6", 1_000_000_000_000_000),
    ("Ki", 1024 * 1_000_000_000),
    ("Mi", (1 << 20) * 1_000_000_000),
    ("Ti", (1 << 40) * 1_000_000_000),
];

/// A text and the number of billionths it stands for, rounded away from zero as Kubernetes reads it.
fn quantity() -> impl Strategy<Value = (String, i128)> {
    (
        any::<bool>(),
        0..1_000_000u64,
        prop_oneof![Just(String::new()), "[0-9]{0,11}"],
        prop::sample::select(SUFFIXES),
    )
        .prop_map(|(negative, whole, fraction, (suffix, factor))| {
            let sign = if negative { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            let divisor = 10i128.pow(fraction.len() as u32);
            let digits = i128::from(whole) * divisor + fraction.parse::<i128>().unwrap_or(0);
            // At most 10^6 × 10^11 × 10^27 would be too large: the fraction is taken apart.
            let (quotient, rest) = (digits / divisor, digits % divisor);
            let part = rest * factor;
            let nano = quotient * factor + part / divisor + i128::from(part % divisor != 0);
            let nano =
                if suffix.ends_with('i') { nano.min(i128::from(i64::MAX) * 1_000_000_000) } else { nano };
            (format!("{sign}{whole}{point}{fraction}{suffix}"), if negative { -nano } else { nano })
        })
}

/// Billionths as [`Quantity::plain`] writes them.
fn plain(nano: i128) -> String {
    let (whole, rest) = (nano.unsigned_abs() / 1_000_000_000, nano.unsigned_abs() % 1_000_000_000);
    let sign = if nano < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn plain_of(quantity: &Quantity) -> String {
    let text = quantity.plain();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quantities_reckon_as_whole_billionths_do((left, a) in quantity(), (right, b) in quantity(), factor in -1000i64..1000) {
        let (x, y) = (Quantity::parse(&left).unwrap(), Quantity::parse(&right).unwrap());
        prop_assert_eq!(plain_of(&x), plain(a), "{}", left);
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.signum(), a.signum() as i32);
        prop_assert_eq!(x.is_zero(), a == 0);
        let mut sum = x.clone();
        sum.add(&y);
        prop_assert_eq!(plain_of(&sum), plain(a + b), "{} + {}", left, right);
        sum.sub(&y);
        prop_assert_eq!(&sum, &x);
        let mut product = x.clone();
        product.mul(factor);
        prop_assert_eq!(plain_of(&product), plain(a * i128::from(factor)), "{} * {}", left, factor);
        for (scale, unit) in [(0, 1_000_000_000i128), (-3, 1_000_000)] {
            let rounded = a / unit + (a % unit).signum();
            if let Ok(rounded) = i64::try_from(rounded) {
                prop_assert_eq!(x.scaled_value(scale), rounded, "{}", left);
            }
            let mut up = x.clone();
            prop_assert_eq!(up.round_up(scale), a % unit == 0, "{}", left);
            prop_assert_eq!(plain_of(&up), plain(rounded * unit), "{}", left);
        }
        let float = x.as_f64();
        prop_assert!((float - a as f64 / 1e9).abs() <= float.abs() * 1e-12, "{} {}", left, float);
        // Kubernetes has no suffix beyond `E` and prints the digits alone.
        if a.unsigned_abs() >= 10u128.pow(30) {
            return Ok(());
        }
        let mut canonical = x.clone();
        canonical.neg();
        canonical.neg();
        let printed = canonical.to_string();
        prop_assert_eq!(&Quantity::parse(&printed).unwrap(), &x, "{} printed {}", left, printed);
        // `543437.5Ki` prints as 556480000, whose suffix is a decimal one then: as in Kubernetes only that text stays.
        let again = Quantity::parse(&printed).unwrap().to_string();
        prop_assert_eq!(&Quantity::parse(&again).unwrap(), &x, "{} printed {}", left, again);
        prop_assert_eq!(Quantity::parse(&again).unwrap().to_string(), again);
    }

    #[test]
    fn any_text_is_a_quantity_or_an_error(
        left in prop_oneof![
            text_of(&["1", "0", "9", "999999999999999999", ".", "-", "+", "e", "E", "i", "K", "M", "Mi", "m", "n", "u", "e-", "2147483647", " "]),
            "[+-]?[0-9.]{0,24}([eEinumkKMGTP]{0,2}[-+]?[0-9]{0,12})",
        ],
        right in "[+-]?[0-9]{1,20}(\\.[0-9]{0,12})?([numkMGTPE]|[KMGTPE]i|e-?[0-9]{1,10})?",
        factor in any::<i64>(),
        scale in any::<i32>(),
    ) {
        let _ = Quantity::parse_json(&left);
        let (Ok(mut x), Ok(y)) = (Quantity::parse(&left), Quantity::parse(&right)) else { return Ok(()) };
        let bounded = |quantity: &Quantity| {
            let printed = quantity.to_string();
            assert!(printed.len() < 20_000, "{left:?} {right:?}: {} characters", printed.len());
            assert!(quantity.plain().len() < 100_000, "{left:?} {right:?}: {}", quantity.plain().len());
            let _ = (quantity.value(), quantity.milli_value(), quantity.as_i64(), quantity.is_zero());
            let _ = (quantity.as_f64(), quantity.as_approximate_f64(), quantity.scaled_value(scale));
        };
        bounded(&x);
        prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
        x.add(&y);
        bounded(&x);
        x.sub(&y);
        x.mul(factor);
        bounded(&x);
        x.round_up(scale);
        x.neg();
        bounded(&x);
    }

    #[test]
    fn any_duration_has_a_text(nanoseconds in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), -5_000_000_000i64..5_000_000_000]) {
        for text in [human_duration(nanoseconds), short_human_duration(nanoseconds), go_duration(nanoseconds)] {
            prop_assert!(!text.is_empty() && text.len() < 40, "{}", text);
        }
    }

    #[test]
    fn percentages_round_as_fractions_do(text in prop_oneof![any::<String>(), "-?[0-9]{1,20}%?"], number in any::<i32>(), total in any::<i64>()) {
        let value = int_or_string::parse(&text);
        let _ = int_or_string::int_or_percent(&value);
        prop_assert_eq!(int_or_string::text(&int_or_string::parse(&number.to_string())), number.to_string());
        if let (Ok(up), Ok(down)) = (
            int_or_string::scaled_value(&value, total, Rounding::Up),
            int_or_string::scaled_value(&value, total, Rounding::Down),
        ) {
            prop_assert!(up >= down && (up == down || up - down == 1), "{} of {}: {} {}", text, total, up, down);
        }
    }
}

const JSONPATH_PIECES: &[&str] = &[
    "{",
    "}",
    "{.",
    ".",
    "..",
    "*",
    "[*]",
    "[0]",
    "[-1]",
    "[0:2]",
    "[::2]",
    "[::-1]",
    "[99999999999999999999]",
    "[",
    "]",
    "items",
    "metadata",
    "name",
    "a",
    "range ",
    "end",
    "{range .items[*]}",
    "{end}",
    "{.items[*].name}",
    "{..a}",
    "{..*}",
    "?(@.",
    "@",
    "[?(@.a==1)]",
    "[?(@.a>\"x\")]",
    "[?(@.a==@.b)]",
    "(",
    ")",
    "==",
    ">",
    "<=",
    "!=",
    "\"",
    "'",
    "\\n",
    "'a'",
    "\"a\"",
    ",",
    "['a','b']",
    "1",
    "-",
    "1.5",
    "true",
    "$",
    "\\.",
    " ",
    "\n",
    "한",
    "[?(@..a)]",
    "$.",
];

fn small_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("a|b|items|name|metadata", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    (tree.clone(), tree).prop_map(
        |(a, b)| json!({"items": [a, b], "a": [1, "x", {"a": 1, "b": 1}], "metadata": {"name": "n"}}),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_template_on_any_object_is_answered_within_bounds(
        template in text_of(JSONPATH_PIECES), object in small_object(), allow in any::<bool>(), json in any::<bool>(),
    ) {
        let _ = relaxed_json_path_expression(&template);
        if let Ok(path) = JsonPath::parse(&template) {
            let mut path = path.allow_missing_keys(allow);
            path.output_json = json;
            if let Ok(text) = path.execute(&object) {
                prop_assert!(text.len() < 64 << 20, "{} characters", text.len());
            }
        }
    }
}

/// Few characters that ask for very much.
#[test]
fn templates_made_to_grow_are_stopped() {
    let mut wide = json!(1);
    for _ in 0..12 {
        wide = json!([wide, wide]);
    }
    let deep = (0..120).fold(json!({"a": 1}), |inner, _| json!({"a": inner}));
    for template in [
        "{..*..*..*..*}".to_owned(),
        format!("{{{}}}", "..*".repeat(100)),
        format!("{{{}}}", "..a".repeat(100)),
        format!("{{{}}}", "[*]".repeat(1000)),
        "{range ..*}".repeat(40),
        "{range ..*}{..*}".repeat(20) + &"{end}".repeat(20),
        format!("{{[{}]}}", "..*,".repeat(1000)),
        format!("{{[?(@{})]}}", "..*".repeat(50)),
        format!("{{{}", "[?(@.a".repeat(2000)),
        "{".repeat(60_000),
        "{.a".repeat(20_000),
    ] {
        for data in [&wide, &deep] {
            let started = std::time::Instant::now();
            if let Ok(path) = JsonPath::parse(&template)
                && let Ok(text) = path.allow_missing_keys(true).execute(data)
            {
                assert!(text.len() < 256 << 20, "{}", text.len());
            }
            let head: String = template.chars().take(40).collect();
            assert!(started.elapsed().as_secs() < 60, "{head}: {:?}", started.elapsed());
        }
    }
}
