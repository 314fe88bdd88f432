//! Tests of `jsonpath`.
use super::*;
use serde_json::json;

fn apply(template: &str, data: &Value) -> String {
    match JsonPath::parse(template).and_then(|path| path.allow_missing_keys(true).execute(data)) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn ranges_nest_and_end() {
    let data = json!({"items": [{"n": "a", "c": [{"i": 1}, {"i": 2}]}, {"n": "b", "c": []}]});
    let nested = "{range .items[*]}{.n}:{range .c[*]}{.i},{end};{end}|";
    assert_eq!(apply(nested, &data), "a:1,2,;b:;|");
    assert_eq!(apply("{range .none[*]}{.n}{end}-", &data), "-");
    assert_eq!(apply("{range .items[*]}{.n}{end}{end}", &data), "error: not in range, nothing to end");
}

#[test]
fn slices_filters_and_unions() {
    let data = json!({"l": [{"v": 1, "s": "x"}, {"v": 2, "s": "y"}, {"v": 3}]});
    for (template, expected) in [
        ("{.l[-1].v}", "3"),
        ("{.l[0:2].v}", "1 2"),
        ("{.l[::2].v}", "1 3"),
        ("{.l[0,2].v}", "1 3"),
        ("{.l[?(@.v>1)].v}", "2 3"),
        ("{.l[?(@.s)].v}", "1 2"),
        ("{.l[?(@.s=='y')].v}", "2"),
        ("{.l[?(@.v>1.5)].v}", "error: incompatible types for comparison"),
        ("{.l[5].v}", "error: array index out of bounds: index 5, length 3"),
        ("{.l[0]['v','s']}", "1 x"),
        ("{..v}", "1 2 3"),
        ("{.l[a]}", "error: invalid array index a"),
        ("{.l[2:1]}", "error: starting index 2 is greater than ending index 1"),
        ("{.l", "error: unclosed action"),
        ("{~}", "error: unrecognized character in action: U+007E '~'"),
        ("{'a\\u00e9\\x41'}", "aéA"),
    ] {
        assert_eq!(apply(template, &data), expected, "{template}");
    }
}

#[test]
fn a_missing_key_is_an_error_unless_allowed() {
    let error = JsonPath::parse("{.a.b}").unwrap().execute(&json!({"a": {}})).unwrap_err();
    assert_eq!(error.to_string(), "b is not found");
}

#[test]
fn hostile_templates_end() {
    let data = (0..5).fold(json!("x"), |inner, _| Value::Array(vec![inner; 8]));
    assert_eq!(apply("{...*...*...*...*...*...*}", &data), "error: too many results");
    let deep = format!("{{{}{}}}", "[?(".repeat(10_000), ")]".repeat(10_000));
    assert!(apply(&deep, &data).starts_with("error: "));
}

#[test]
fn shorthand_is_completed() {
    let relaxed = |text: &str| relaxed_json_path_expression(text).unwrap_or_else(|error| error.to_string());
    for text in ["a.b", ".a.b", "{a.b}", "{.a.b}"] {
        assert_eq!(relaxed(text), "{.a.b}");
    }
    assert!(relaxed("{{a}").starts_with("unexpected path string, expected a 'name1.name2'"));
}
