//! Where keys, values and errors stand in the text.

use podlab_yaml::{Document, PathElement, Position, parse_document, parse_documents};

const POD: &str = "\
# a pod
apiVersion: v1
metadata:
  labels: {app: web, \"a.b/c\": x}
spec:
  containers:
  - name: c
    image: nginx:1.27
    ports:
    - containerPort: 80
    args: [\"-c\", 'sleep 1']
";

fn slice(text: &str, start: Position, end: Position) -> &str {
    &text[start.offset..end.offset]
}

/// The key and value that a Kubernetes field path finds, and how many steps it went.
fn check_field(text: &str, document: &Document, path: &str, key: &str, value: &str, depth: usize) {
    let found = document.spans.field(path).unwrap();
    assert_eq!(found.key.map_or("", |span| slice(text, span.start, span.end)), key, "{path}");
    let got = slice(text, found.value.start, found.value.end);
    assert_eq!(got, value, "{path}");
    assert_eq!(found.depth, depth, "{path}");
}

#[test]
fn field_paths_lead_to_keys_and_values() {
    let document = parse_document(POD).unwrap();
    for (path, key, value, depth) in [
        ("apiVersion", "apiVersion", "v1", 1),
        ("metadata.labels[app]", "app", "web", 3),
        ("metadata.labels.app", "app", "web", 3),
        ("metadata.labels[a.b/c]", "\"a.b/c\"", "x", 3),
        ("metadata.labels.a.b/c", "\"a.b/c\"", "x", 3),
        ("spec.containers[0].image", "image", "nginx:1.27", 4),
        ("spec.containers[0].ports[0].containerPort", "containerPort", "80", 6),
        ("spec.containers[0].args[1]", "", "'sleep 1'", 5),
        ("spec.containers[0].name.x", "name", "c", 4),
        ("spec.containers[0].ports[0].hostPort.x", "", "containerPort: 80\n    ", 5),
        ("apiVersion[0]", "apiVersion", "v1", 1),
    ] {
        check_field(POD, &document, path, key, value, depth);
    }
    let path: [PathElement; 4] = ["spec".into(), "containers".into(), 0.into(), "image".into()];
    let image = document.spans.get(&path).unwrap();
    assert_eq!((image.value.start.line, image.value.start.column), (8, 12));
    assert_eq!((image.key.unwrap().start.line, image.key.unwrap().start.column), (8, 5));
    assert!(document.spans.get(&["spec".into(), 1.into()]).is_none());
}

#[test]
fn documents_of_a_stream_are_placed_in_the_whole_text() {
    let text = "a: 1\r\n---\r\n# 한글 값\r\nb: {\"값\": x,\r\n  c: y}\r\n---\r\nd: [1,\r\n 2]";
    let read = parse_documents(text);
    assert!(read.error.is_none());
    for (index, path, key, value, line, column) in [
        (0, "a", "a", "1", 1, 4),
        (1, "b.값", "\"값\"", "x", 4, 10),
        (1, "b.c", "c", "y", 5, 6),
        (2, "d[1]", "", "2", 8, 2),
    ] {
        let document = &read.documents[index];
        let found = document.spans.field(path).unwrap();
        assert_eq!((found.value.start.line, found.value.start.column), (line, column), "{path}");
        check_field(text, document, path, key, value, path.split(['.', '[']).count());
    }
}

#[test]
fn json_streams_have_places_too() {
    let text = "{\"a\": 1}\n{\"b\": {\"c\": [true]}}\n";
    let read = parse_documents(text);
    check_field(text, &read.documents[1], "b.c[0]", "", "true", 3);
    assert_eq!(read.documents[1].spans.field("b.c").unwrap().value.start.line, 2);
}

#[test]
fn aliases_and_merges_are_followed() {
    let text = "base: &b {x: 1, v: {z: 2}}\nuse: *b\nmore:\n  <<: [*b, {w: 3}]\n  x: 4\n";
    let document = parse_document(text).unwrap();
    for (path, key, value, depth) in [
        ("use", "use", "*b", 1),
        ("use.v.z", "z", "2", 3),
        ("more.v.z", "z", "2", 3),
        ("more.w", "w", "3", 2),
        ("more.x", "x", "4", 2),
    ] {
        check_field(text, &document, path, key, value, depth);
    }
}

/// The error's line and column, and its context's.
fn check_error(text: &str, place: Option<(usize, usize)>, context: Option<(usize, usize)>) {
    let error = parse_documents(text).error.unwrap();
    let shown = |place: Option<Position>| place.map(|place| (place.line, place.column));
    assert_eq!(shown(error.position), place, "{text:?}: {error}");
    assert_eq!(shown(error.context), context, "{text:?}: {error}");
}

#[test]
fn errors_are_placed_where_an_editor_would_mark_them() {
    check_error("a: b: c\n", Some((1, 5)), Some((1, 5)));
    check_error("x: 1\n---\na: \"b\nc: d\n", Some((5, 1)), Some((3, 4)));
    check_error("a: [b\nc: d\n", Some((2, 2)), Some((1, 4)));
    check_error("a:\n\tb: c\n", Some((2, 1)), Some((2, 1)));
    check_error("a: b\nc\nd: e\n", Some((3, 1)), Some((2, 1)));
    check_error("a: b\n c: d\n", Some((2, 3)), Some((2, 3)));
    check_error("a: b\nc: *no\n", Some((2, 4)), None);
    check_error("a: x\nb: y\u{7}z\n", Some((2, 5)), None);
    check_error("a: b\n? ~\n: c\n", Some((2, 3)), None);
    check_error("a: .inf\n", Some((1, 4)), None);
    check_error("a: b\n---x\n", Some((2, 1)), None);
    check_error("{\"a\": 1,\n  b]}\n", Some((2, 3)), None);
    check_error("a: !!int x\n", Some((1, 4)), None);
    check_error("a: [", Some((1, 5)), Some((1, 5)));
}

#[test]
fn keys_that_are_twice_are_placed() {
    let read = parse_documents("x: 1\n---\na: 1\nb: {c: 1, c: 2}\n");
    let duplicate = &read.documents[1].duplicates[0];
    assert_eq!(duplicate.text, "line 2: key \"c\" already set in map");
    assert_eq!((duplicate.key.as_str(), duplicate.position.line), ("c", 4));
    assert_eq!(duplicate.position.column, 11);
}

#[test]
fn a_last_line_that_fills_the_reader_is_lost_as_in_kubectl() {
    let values =
        |text: &str| parse_documents(text).documents.into_iter().map(|d| d.value).collect::<Vec<_>>();
    let line = format!("b: {}", "x".repeat(4093));
    assert_eq!(values(&format!("a: 1\n{line}")), [serde_json::json!({"a": 1})]);
    assert_eq!(values(&format!("a: 1\n{line}\n")).len(), 1);
    assert_eq!(values(&line).len(), 0);
    assert_eq!(values(&format!("{line}x")).len(), 1);
}

#[test]
fn a_json_number_that_is_too_large_is_an_error() {
    let error = parse_documents("{\"a\": 1e999}").error.unwrap();
    assert_eq!(error.text, "json: cannot unmarshal number 1e999 into Go value of type float64");
}
