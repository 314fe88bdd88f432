//! The shorthand of `--sort-by` and custom columns.

use super::JsonPathError;

/// Turns `name1.name2`, `.name1.name2`, `{name1.name2}` and `{.name1.name2}` into the last form.
///
/// # Errors
/// Anything with other braces.
///
/// Source: staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go RelaxedJSONPathExpression (v1.37).
pub fn relaxed_json_path_expression(expression: &str) -> Result<String, JsonPathError> {
    if expression.is_empty() {
        return Ok(String::new());
    }
    let inner = expression.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(expression);
    let field = inner.strip_prefix('.').filter(|field| !field.is_empty()).unwrap_or(inner);
    if field.is_empty() || field.contains(['{', '}']) {
        return Err(JsonPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
             '{.name1.name2}'"
                .to_owned(),
        ));
    }
    Ok(format!("{{.{field}}}"))
}
