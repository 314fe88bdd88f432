//! What is wrong with a body, in the order of its text: trees have their keys sorted.
//!
//! Source: sigs.k8s.io/json internal/golang/encoding/json/decode.go (`saveError`, `saveStrictError`).

/// What the decoder says that meets the fields of a body in the order of its text: the error of the shortest beginning
/// that has one.
pub fn first_error(api_version: &str, kind: &str, text: &str) -> Option<String> {
    let error = |values: usize| {
        let beginning = podlab_yaml::json_beginning(text, values)?;
        let value = podlab_yaml::parse_json(&beginning).ok()?;
        super::decode(api_version, kind, &value).err().map(|error| error.to_string())
    };
    let (mut fits, mut fails) = (0, podlab_yaml::json_values(text));
    let mut found = error(fails)?;
    while fits + 1 < fails {
        let middle = fits + (fails - fits) / 2;
        match error(middle) {
            Some(said) => (found, fails) = (said, middle),
            None => fits = middle,
        }
    }
    Some(found)
}

/// Puts strict errors into the order in which a body's text has the fields: of what is there twice the second one counts.
pub fn sort_as_written(errors: &mut [String], text: &str) {
    let fields = podlab_yaml::json_fields(text);
    let place = |error: &String| {
        let path = |start| serde_json::from_str::<String>(error.strip_prefix(start)?).ok();
        let (path, nth) = match path("unknown field ") {
            Some(path) => (path, 0),
            None => (path("duplicate field ")?, 1),
        };
        let mut places = fields.iter().enumerate().filter(|(_, field)| **field == path);
        places.nth(nth).map(|(at, _)| at)
    };
    errors.sort_by_cached_key(|error| place(error).unwrap_or(usize::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_of_the_text_is_told() {
        let said = |text| first_error("v1", "Secret", text);
        let text = r#"{"type": {}, "metadata": {"name": 5}, "data": {"a": "%%"}}"#;
        let error = "json: cannot unmarshal object into Go struct field Secret.type of type v1.SecretType";
        assert_eq!(said(text).as_deref(), Some(error));
        let text = r#"{"metadata": {"name": "a", "labels": {"b": [1]}}, "data": "a"}"#;
        let error =
            "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type string";
        assert_eq!(said(text).as_deref(), Some(error));
        assert_eq!(said(r#"{"type": "a"}"#), None);
    }

    #[test]
    fn strict_errors_come_as_the_text_has_them() {
        let text = r#"{"spec": {"b": 1, "c": 1, "a": {"x": 1}, "c": 2}}"#;
        let mut errors: Vec<String> =
            [r#"unknown field "spec.a""#, r#"unknown field "spec.b""#, r#"duplicate field "spec.c""#]
                .map(str::to_owned)
                .to_vec();
        sort_as_written(&mut errors, text);
        assert_eq!(
            errors,
            [r#"unknown field "spec.b""#, r#"unknown field "spec.a""#, r#"duplicate field "spec.c""#]
        );
    }
}
