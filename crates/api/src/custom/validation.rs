//! Whether an object is what its schema says, in the words of the API server.
//!
//! Source: k8s.io/kube-openapi/pkg/validation/validate, k8s.io/apiextensions-apiserver/pkg/apiserver/validation,
//! pkg/apiserver/schema/listtype (v1.37).

use super::{DEEPEST, Definition, ScalePaths, format};
use crate::validation::{BadValue, ErrorType, FieldError, Path, content, meta};
use crate::{Kind, go_text};
use serde_json::{Map, Value};

type Errors = Vec<FieldError>;

/// How the root itself is called in errors.
const NOWHERE: &str = "<nil>";

fn error(error_type: ErrorType, path: &str, bad_value: BadValue, detail: impl Into<String>) -> FieldError {
    let field = if path.is_empty() { NOWHERE.to_owned() } else { path.to_owned() };
    FieldError { error_type, field, bad_value, detail: detail.into() }
}

fn invalid(path: &str, value: &Value, detail: String) -> FieldError {
    error(ErrorType::Invalid, path, BadValue::Value(value.clone()), detail)
}

/// An error that no one field has.
fn nowhere(detail: String) -> FieldError {
    error(ErrorType::Invalid, "", BadValue::Value("".into()), detail)
}

/// Whether a number is as good as whole.
///
/// Source: github.com/go-openapi/swag/conv/convert.go IsFloat64AJSONInteger.
fn is_whole(number: f64) -> bool {
    const MOST: f64 = 9_007_199_254_740_991.0;
    const NEAR: f64 = 1e-9;
    if !number.is_finite() || number.abs() > MOST {
        return false;
    }
    let rounded = number.round();
    number == rounded || (rounded != 0.0 && (number - rounded).abs() < NEAR * rounded.abs())
}

impl Definition {
    /// What is wrong with an object; `old` is the one that it replaces, `subresource` how it comes.
    pub fn validate(
        &self,
        kind: &Kind,
        object: &Value,
        old: Option<&Value>,
        subresource: Option<&str>,
    ) -> Vec<FieldError> {
        let mut errors = Errors::new();
        let path = Path::new("metadata");
        match old {
            None => {
                let rule = meta::name_is_dns_subdomain;
                meta::validate_object_meta(&mut errors, object, kind.namespaced, rule, &path);
            }
            Some(old) => meta::validate_object_meta_update(&mut errors, object, old, &path),
        }
        self.structure(object, old, subresource, &mut errors);
        if subresource.is_none() {
            self.scale_number(object, |scale| &scale.spec, &mut errors);
        }
        self.scale_number(object, |scale| &scale.status, &mut errors);
        self.scale_selector(object, &mut errors);
        let lists = |object: &Value| {
            let mut errors = Errors::new();
            if subresource.is_none() {
                embedded(&self.schema, object, "", &mut errors, 0);
            }
            list_types(&self.schema, object, "", &mut errors, 0);
            errors
        };
        let mut found = lists(object);
        if let Some(old) = old {
            let before = lists(old);
            found.retain(|one| !before.contains(one));
        }
        errors.extend(found);
        errors
    }

    /// What is wrong by the schema; of `status` alone where that is what is written.
    fn structure(&self, object: &Value, old: Option<&Value>, subresource: Option<&str>, errors: &mut Errors) {
        if subresource != Some("status") {
            check(&self.schema, object, old, "", true, errors, 0);
            return;
        }
        let schema = self.schema.pointer("/properties/status");
        if let (Some(schema), Some(status)) = (schema, object.get("status")) {
            let mut found = Errors::new();
            check(schema, status, old.and_then(|old| old.get("status")), "", false, &mut found, 0);
            errors.extend(found.into_iter().map(|error| below("status", error)));
        }
    }

    /// The numbers that `scale` reads must be numbers.
    ///
    /// Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/validator.go (v1.37).
    fn scale_number(&self, object: &Value, path: fn(&ScalePaths) -> &Vec<String>, errors: &mut Errors) {
        let Some(path) = self.scale.as_ref().map(path) else { return };
        let at = format!(".{}", path.join("."));
        let value = match nested(object, path, &at) {
            Ok(Some(value)) => value,
            Ok(None) => return,
            Err(said) => {
                errors.push(invalid(&at, &0.into(), said));
                return;
            }
        };
        match value.as_i64() {
            None => errors.push(invalid(&at, &0.into(), unexpected(&at, value, "int64"))),
            Some(count) if count < 0 => {
                errors.push(invalid(&at, value, "should be a non-negative integer".to_owned()));
            }
            Some(count) if count > i64::from(i32::MAX) => {
                let said = format!("should be less than or equal to {}", i32::MAX);
                errors.push(invalid(&at, value, said));
            }
            Some(_) => {}
        }
    }

    fn scale_selector(&self, object: &Value, errors: &mut Errors) {
        let Some(path) = self.scale.as_ref().map(|scale| &scale.selector).filter(|path| !path.is_empty())
        else {
            return;
        };
        let at = format!(".{}", path.join("."));
        let said = match nested(object, path, &at) {
            Ok(Some(value)) if !value.is_string() => unexpected(&at, value, "string"),
            Ok(_) => return,
            Err(said) => said,
        };
        errors.push(invalid(&at, &"".into(), said));
    }
}

/// The value at a path; why there can't be one.
fn nested<'a>(object: &'a Value, path: &[String], at: &str) -> Result<Option<&'a Value>, String> {
    let mut value = object;
    for step in path {
        let Some(map) = value.as_object() else {
            return Err(unexpected(at, value, "map[string]interface{}"));
        };
        match map.get(step) {
            Some(inner) => value = inner,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

fn unexpected(at: &str, value: &Value, wanted: &str) -> String {
    format!(
        "{at} accessor error: {} is of the type {}, expected {wanted}",
        go_text::value(value),
        go_type(value)
    )
}

/// What is accepted of an object and not liked: finalizers without a domain that it has not had before.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/validator.go validateKubeFinalizerName (v1.37).
pub fn warnings(object: &crate::Object, old: Option<&crate::Object>) -> Vec<String> {
    let known = |name: &String| {
        old.is_some_and(|old| old.metadata.finalizers.iter().flatten().any(|one| one == name))
    };
    let mut warnings = Vec::new();
    for name in object.metadata.finalizers.iter().flatten().filter(|name| !known(name)) {
        let mut warn = |said: &str| warnings.push(format!("metadata.finalizers: {name:?}: {said}"));
        content::is_qualified_name(name).iter().for_each(|said| warn(said));
        if !name.contains('/') && !meta::is_standard_finalizer(name) {
            let place = if name.contains('.') { " including a path (/)" } else { "" };
            warn(&format!(
                "prefer a domain-qualified finalizer name{place} to avoid accidental conflicts with other finalizer writers"
            ));
        }
    }
    warnings
}

/// What is wrong with a value by its schema; paths begin at the value.
pub(crate) fn value_errors(schema: &Value, value: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    check(schema, value, None, "", false, &mut errors, 0);
    errors
}

/// What is wrong with the resources within a value; paths begin at the value.
pub(crate) fn embedded_errors(schema: &Value, value: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    embedded(schema, value, "", &mut errors, 0);
    errors
}

/// An error of a value that stands at a path.
pub(crate) fn below(path: &str, mut error: FieldError) -> FieldError {
    error.field = match error.field.as_str() {
        "" | NOWHERE => path.to_owned(),
        field => format!("{path}.{}", field.strip_prefix('.').unwrap_or(field)),
    };
    error
}

/// A resource within a resource says what it is, and has metadata like any other.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta/validation.go (v1.37).
fn embedded(schema: &Value, value: &Value, path: &str, errors: &mut Errors, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            if flag(schema, "x-kubernetes-embedded-resource") {
                embedded_resource(value, map, path, errors);
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            let additional = schema.get("additionalProperties").filter(|value| value.is_object());
            for (key, inner) in map {
                match (properties.and_then(|all| all.get(key)), additional) {
                    (Some(known), _) => embedded(known, inner, &child(path, key), errors, depth + 1),
                    (None, Some(known)) => {
                        embedded(known, inner, &format!("{path}[{key}]"), errors, depth + 1);
                    }
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            let each = schema.get("items").unwrap_or(&Value::Null);
            for (index, item) in items.iter().enumerate() {
                embedded(each, item, &format!("{path}[{index}]"), errors, depth + 1);
            }
        }
        _ => {}
    }
}

fn embedded_resource(value: &Value, map: &Map<String, Value>, path: &str, errors: &mut Errors) {
    for field in ["apiVersion", "kind"] {
        let at = child(path, field);
        match map.get(field) {
            None => errors.push(error(ErrorType::Required, &at, BadValue::Omitted, "")),
            Some(Value::String(text)) if text.is_empty() => {
                errors.push(invalid(&at, &"".into(), "must not be empty".to_owned()));
            }
            Some(Value::String(text)) if field == "kind" => {
                let messages = content::is_dns1035_label(&text.to_lowercase());
                if !messages.is_empty() {
                    let said =
                        format!("may have mixed case, but should otherwise match: {}", messages.join(","));
                    errors.push(invalid(&at, &text.as_str().into(), said));
                }
            }
            Some(Value::String(text)) if text.matches('/').count() > 1 => {
                let said = format!("unexpected GroupVersion string: {text}");
                errors.push(invalid(&at, &text.as_str().into(), said));
            }
            Some(Value::String(_)) => {}
            Some(other) => errors.push(invalid(&at, other, "must be a string".to_owned())),
        }
    }
    if map.get("metadata").is_some_and(Value::is_object) {
        let mut named = value.clone();
        if named.pointer("/metadata/name").and_then(Value::as_str).is_none_or(str::is_empty) {
            named["metadata"]["name"] = "fakename".into();
        }
        let namespace = named.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("");
        let (namespaced, at) = (!namespace.is_empty(), child(path, "metadata"));
        meta::validate_object_meta(errors, &named, namespaced, meta::name_is_path_segment, &Path::new(&at));
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn limit(schema: &Value, key: &str) -> Option<usize> {
    schema.get(key).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok())
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Checks a value; what is as it was before, in `old`, may stay so even if the schema has changed.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/validation/ratcheting.go (v1.37).
fn check(
    schema: &Value,
    value: &Value,
    old: Option<&Value>,
    path: &str,
    root: bool,
    errors: &mut Errors,
    depth: usize,
) {
    if depth > DEEPEST || !schema.is_object() || old == Some(value) {
        return;
    }
    if !check_type(schema, value, path, errors) && value.is_null() {
        return;
    }
    combined(schema, value, old, path, errors, depth);
    match value {
        Value::String(text) => string(schema, text, path, errors),
        Value::Number(_) => check_number(schema, value, path, errors),
        Value::Array(items) => array(schema, items, old, path, errors, depth),
        _ => {}
    }
    let allowed = list(schema, "enum");
    let null = value.is_null() && flag(schema, "nullable");
    if !allowed.is_empty() && !null && !allowed.contains(value) {
        let words: Vec<String> = allowed
            .iter()
            .map(|one| one.as_str().map_or_else(|| crate::go_text::json(one), str::to_owned))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut unsupported = FieldError::not_supported(&Path::root(), value.clone(), &words);
        path.clone_into(&mut unsupported.field);
        errors.push(unsupported);
    }
    if let Value::Object(map) = value {
        object(schema, map, old, path, root, errors, depth);
    }
}

/// The format of a schema, if it is one of those that are looked at.
fn format_of(schema: &Value) -> &str {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or("");
    let format = text("format");
    if format::is_known(text("type"), format) { format } else { "" }
}

/// Whether the value is of a type that the schema names.
///
/// Source: k8s.io/kube-openapi/pkg/validation/validate/type.go (v1.37).
fn check_type(schema: &Value, value: &Value, path: &str, errors: &mut Errors) -> bool {
    let wanted: Vec<&str> = match schema.get("type").and_then(Value::as_str) {
        _ if flag(schema, "x-kubernetes-int-or-string") => vec!["integer", "string"],
        Some(wanted) => vec![wanted],
        None => return true,
    };
    let has = type_of(value);
    let format = format_of(schema);
    let whole = value.as_f64().is_some_and(is_whole);
    let fits = wanted.contains(&has)
        || (has == "null" && flag(schema, "nullable"))
        || (has == "integer" && wanted.contains(&"number"))
        || (has == "number" && whole && wanted.contains(&"integer"));
    if !fits {
        let is_number = |kind: &&str| matches!(*kind, "integer" | "number");
        let (wanted, has) = match (format, has) {
            ("", _) | (_, "null") => (wanted.join(","), has),
            (_, "string" | "array") if !wanted.iter().any(is_number) => return true,
            (_, "string" | "array") => (wanted.join(","), has),
            (format, "integer") => (format.to_owned(), "int64"),
            (format, "number") => (format.to_owned(), "float64"),
            (format, _) => (format.to_owned(), ""),
        };
        let said = format!("{path} in body must be of type {wanted}: {has:?}");
        errors.push(error(ErrorType::TypeInvalid, path, BadValue::Value(has.into()), said));
        return false;
    }
    if let (Some(text), false) = (value.as_str(), format.is_empty())
        && !format::has(format, text)
    {
        let said = format!("{path} in body must be of type {format}: {text:?}");
        errors.push(error(ErrorType::TypeInvalid, path, BadValue::Value(value.clone()), said));
        return false;
    }
    true
}

/// `allOf`, `anyOf`, `oneOf`, `not`.
fn combined(
    schema: &Value,
    value: &Value,
    old: Option<&Value>,
    path: &str,
    errors: &mut Errors,
    depth: usize,
) {
    let tried = |schema: &Value| {
        let mut errors = Errors::new();
        check(schema, value, old, path, false, &mut errors, depth + 1);
        errors
    };
    let any = list(schema, "anyOf");
    if !any.is_empty() {
        let results: Vec<Errors> = any.iter().map(tried).collect();
        if results.iter().all(|result| !result.is_empty()) {
            errors.push(nowhere(format!("{path:?} must validate at least one schema (anyOf)")));
            errors.extend(results.into_iter().next().unwrap_or_default());
        }
    }
    let one = list(schema, "oneOf");
    if !one.is_empty() {
        let results: Vec<Errors> = one.iter().map(tried).collect();
        let valid = results.iter().filter(|result| result.is_empty()).count();
        if valid != 1 {
            let why = match valid {
                0 => "Found none valid".to_owned(),
                _ => format!("Found {valid} valid alternatives"),
            };
            errors.push(nowhere(format!("{path:?} must validate one and only one schema (oneOf). {why}")));
            if valid == 0 {
                errors.extend(results.into_iter().next().unwrap_or_default());
            }
        }
    }
    let all = list(schema, "allOf");
    let results: Vec<Errors> = all.iter().map(tried).collect();
    let valid = results.iter().filter(|result| result.is_empty()).count();
    if valid != all.len() {
        let why = if valid == 0 { ". None validated" } else { "" };
        errors.extend(results.into_iter().flatten());
        errors.push(nowhere(format!("{path:?} must validate all the schemas (allOf){why}")));
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object())
        && tried(not).is_empty()
    {
        errors.push(nowhere(format!("{path:?} must not validate the schema (not)")));
    }
}

fn string(schema: &Value, text: &str, path: &str, errors: &mut Errors) {
    let length = text.chars().count();
    let value = Value::String(text.to_owned());
    if let Some(most) = limit(schema, "maxLength").filter(|most| length > *most) {
        let mut long = FieldError::too_long(&Path::root(), most);
        path.clone_into(&mut long.field);
        errors.push(long);
        return;
    }
    if let Some(least) = limit(schema, "minLength").filter(|least| length < *least) {
        errors.push(invalid(path, &value, format!("{path} in body should be at least {least} chars long")));
        return;
    }
    let pattern = schema.get("pattern").and_then(Value::as_str).filter(|pattern| !pattern.is_empty());
    if let Some(pattern) = pattern
        && regex_lite::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
    {
        errors.push(invalid(path, &value, format!("{path} in body should match '{pattern}'")));
    }
}

fn check_number(schema: &Value, value: &Value, path: &str, errors: &mut Errors) {
    let Some(has) = value.as_f64() else { return };
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("");
    let format = format_of(schema);
    // Whether a number can be one of the type and format.
    let fits = |number: f64| match (kind, format) {
        ("integer", "int32") => {
            number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number)
        }
        ("integer", _) => number.fract() == 0.0 && number.abs() < 9.3e18,
        (_, "float") => number.abs() <= f64::from(f32::MAX),
        _ => true,
    };
    let misfit = |what: &str| {
        let form =
            if format.is_empty() { "(default format)".to_owned() } else { format!("with format {format}") };
        nowhere(format!("{what} value must be of type {kind} {form} in {path}"))
    };
    if !fits(has) {
        errors.push(misfit("Checked"));
    }
    // A whole number is compared with what is whole of a bound, unless the type can't hold this.
    let bound = |key: &str| schema.get(key)?.as_f64();
    let is_native = |bound: f64| value.as_i64().is_some() && fits(bound);
    let number =
        |bound: f64| if is_native(bound) { format!("{:.0}", bound.trunc()) } else { go_text::float(bound) };
    if let Some(factor) = bound("multipleOf") {
        if !fits(factor) {
            errors.push(misfit("MultipleOf"));
        }
        let whole = is_native(factor);
        let factor = if whole { factor.trunc() } else { factor };
        let differs = if whole { has % factor != 0.0 } else { !is_whole(has / factor) };
        if factor <= 0.0 {
            let said = format!("factor MultipleOf declared for {path} must be positive: {}", number(factor));
            let factor = if whole { Value::from(factor as i64) } else { factor.into() };
            errors.push(invalid(path, &factor, said));
        } else if differs {
            errors.push(invalid(
                path,
                value,
                format!("{path} in body should be a multiple of {}", number(factor)),
            ));
        }
    }
    let mut outside = |key: &str, exclusive: &str, words: &str, out: fn(f64, f64, bool) -> bool| {
        let exclusive = flag(schema, exclusive);
        let Some(edge) = bound(key) else { return };
        if !fits(edge) {
            errors
                .push(misfit(&format!("{} boundary", if key == "maximum" { "Maximum" } else { "Minimum" })));
        }
        if out(has, if is_native(edge) { edge.trunc() } else { edge }, exclusive) {
            let equal = if exclusive { "" } else { " or equal to" };
            let said = format!("{path} in body should be {words} than{equal} {}", number(edge));
            errors.push(invalid(path, value, said));
        }
    };
    outside("maximum", "exclusiveMaximum", "less", |has, edge, exclusive| {
        has > edge || (exclusive && has == edge)
    });
    outside("minimum", "exclusiveMinimum", "greater", |has, edge, exclusive| {
        has < edge || (exclusive && has == edge)
    });
}

fn array(
    schema: &Value,
    items: &[Value],
    old: Option<&Value>,
    path: &str,
    errors: &mut Errors,
    depth: usize,
) {
    // Items are known again where the list is a map.
    let is_map = schema.get("x-kubernetes-list-type").is_some_and(|kind| kind == "map");
    let keys = list(schema, "x-kubernetes-list-map-keys");
    let before = old.and_then(Value::as_array).filter(|_| is_map && !keys.is_empty());
    let same = |a: &Value, b: &Value| {
        keys.iter().filter_map(Value::as_str).all(|key| a.get(key).is_some() && a.get(key) == b.get(key))
    };
    if let Some(each) = schema.get("items") {
        for (index, item) in items.iter().enumerate() {
            let old = before.and_then(|before| before.iter().find(|one| same(one, item)));
            check(each, item, old, &format!("{path}[{index}]"), false, errors, depth + 1);
        }
    }
    let length = items.len();
    if let Some(least) = limit(schema, "minItems").filter(|least| length < *least) {
        let said = format!("{path} in body should have at least {least} items");
        errors.push(invalid(path, &length.into(), said));
    }
    if let Some(most) = limit(schema, "maxItems").filter(|most| length > *most) {
        errors.push(too_many(path, length, most));
    }
}

fn too_many(path: &str, length: usize, most: usize) -> FieldError {
    let mut many = FieldError::too_many(&Path::root(), length, most);
    path.clone_into(&mut many.field);
    many
}

fn object(
    schema: &Value,
    map: &Map<String, Value>,
    old: Option<&Value>,
    path: &str,
    root: bool,
    errors: &mut Errors,
    depth: usize,
) {
    let count = map.len();
    if let Some(least) = limit(schema, "minProperties").filter(|least| count < *least) {
        let said = format!("{path} in body should have at least {least} properties");
        errors.push(invalid(path, &count.into(), said));
    }
    if let Some(most) = limit(schema, "maxProperties").filter(|most| count > *most) {
        errors.push(too_many(path, count, most));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties").filter(|value| value.is_object());
    for (key, value) in map {
        // Metadata has rules of its own.
        if root && key == "metadata" {
            continue;
        }
        let known = properties.and_then(|all| all.get(key));
        let old = old.and_then(|old| old.get(key));
        match (known, additional) {
            (Some(known), _) => check(known, value, old, &child(path, key), false, errors, depth + 1),
            (None, Some(known)) => {
                check(known, value, old, &format!("{path}.{key}"), false, errors, depth + 1)
            }
            (None, None) => {}
        }
    }
    for key in list(schema, "required").iter().filter_map(Value::as_str) {
        if !map.contains_key(key) {
            errors.push(error(ErrorType::Required, &child(path, key), BadValue::Omitted, ""));
        }
    }
}

/// Lists that are sets or maps hold nothing twice.
fn list_types(schema: &Value, value: &Value, path: &str, errors: &mut Errors, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let additional = schema.get("additionalProperties").filter(|value| value.is_object());
            for (key, inner) in map {
                match (properties.and_then(|all| all.get(key)), additional) {
                    (Some(known), _) => list_types(known, inner, &child(path, key), errors, depth + 1),
                    (None, Some(known)) => {
                        list_types(known, inner, &format!("{path}[{key}]"), errors, depth + 1)
                    }
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            let keys: Vec<&str> =
                list(schema, "x-kubernetes-list-map-keys").iter().filter_map(Value::as_str).collect();
            let each = schema.get("items").unwrap_or(&Value::Null);
            let kind = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
            let no_object = |item: &&Value| !item.is_object() && !item.is_null();
            let odd = if kind == Some("map") { items.iter().position(|item| no_object(&item)) } else { None };
            if let Some((index, item)) = odd.and_then(|index| Some((index, items.get(index)?))) {
                let said = "must be an object for an array of list-type map".to_owned();
                errors.push(invalid(&format!("{path}[{index}]"), item, said));
            }
            let identity = |item: &Value| match kind {
                Some("set") => Some(item.clone()),
                Some("map") if odd.is_none() => {
                    let own = |key: &&str| Some(((*key).to_owned(), item.get(*key)?.clone()));
                    Some(Value::Object(keys.iter().filter_map(own).collect()))
                }
                _ => None,
            };
            // What is there a third time is not told again.
            let mut seen: Vec<(Value, bool)> = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let at = format!("{path}[{index}]");
                if let Some(identity) = identity(item) {
                    match seen.iter_mut().find(|(known, _)| *known == identity) {
                        Some((_, told)) => {
                            if !*told {
                                errors.push(error(ErrorType::Duplicate, &at, BadValue::Value(identity), ""));
                            }
                            *told = true;
                        }
                        None => seen.push((identity, false)),
                    }
                }
                list_types(each, item, &at, errors, depth + 1);
            }
        }
        _ => {}
    }
}
