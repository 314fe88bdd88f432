//! Rules for strings that stand under somebody's domain, and for numbers written as text.
//!
//! Source: k8s.io/apimachinery/pkg/util/validation/validation.go, pkg/api/validate/content (v1.37).

use super::content::{SUBDOMAIN, is_dns1123_label, is_dns1123_subdomain, is_qualified_name, regex_error};
use super::{Errors, FieldError, Path, invalid_each, required};

const REQUIRED: &str = "Required value";
const HTTP_PATH: &str = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+";
const CASELESS_TEXT: &str = "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const DECIMAL_TEXT: &str = "must be a valid decimal integer in canonical form";

/// A name of at least three parts: `team.example.com`.
pub fn is_fully_qualified_name(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec![REQUIRED.to_owned()];
    }
    let errors = is_dns1123_subdomain(name);
    if !errors.is_empty() {
        return vec![errors.join(",")];
    }
    if name.split('.').count() < 3 {
        return vec!["should be a domain with at least three segments separated by dots".to_owned()];
    }
    Vec::new()
}

/// A domain name of at least two labels; a dot may end it.
pub fn is_fully_qualified_domain_name(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec![REQUIRED.to_owned()];
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let errors = is_dns1123_subdomain(name);
    if !errors.is_empty() {
        return vec![errors.join(",")];
    }
    if name.split('.').count() < 2 {
        return vec!["should be a domain with at least two segments separated by dots".to_owned()];
    }
    let wrong = name.split('.').map(is_dns1123_label).find(|errors| !errors.is_empty());
    wrong.map(|errors| vec![errors.join(",")]).unwrap_or_default()
}

/// A domain and a path: `acme.io/foo`.
pub fn is_domain_prefixed_path(value: &str) -> Vec<String> {
    let mut errors = Errors::new();
    validate_domain_prefixed_path(&mut errors, value, &Path::new("path"));
    errors.iter().map(ToString::to_string).collect()
}

/// As [`is_domain_prefixed_path`], as errors of the field at `path`.
pub(crate) fn validate_domain_prefixed_path(errors: &mut Errors, value: &str, path: &Path) {
    if !required(errors, path, value) {
        return;
    }
    match value.split_once('/') {
        Some((host, target)) if !host.is_empty() && !target.is_empty() => {
            invalid_each(errors, path, host, is_dns1123_subdomain(host));
            let fits = |b: u8| b.is_ascii_alphanumeric() || br"/-._~%!$&'()*+,;=:".contains(&b);
            if !target.bytes().all(fits) {
                errors.push(FieldError::invalid(path, target, regex_error("Invalid path", HTTP_PATH, &[])));
            }
        }
        _ => {
            let detail = r#"must be a domain-prefixed path (such as "acme.io/foo")"#;
            errors.push(FieldError::invalid(path, value, detail));
        }
    }
}

/// A label key with a domain: `acme.io/foo`.
pub fn is_domain_prefixed_key(key: &str) -> Vec<String> {
    if key.is_empty() {
        return vec![REQUIRED.to_owned()];
    }
    let errors = is_qualified_name(key);
    if errors.is_empty() && !key.contains('/') {
        return vec!["must be a domain-prefixed key (such as \"acme.io/foo\")".to_owned()];
    }
    errors
}

/// A label key that has a prefix: `example.com/key`.
pub fn is_prefixed_label_key(key: &str) -> Vec<String> {
    let errors = is_qualified_name(key);
    if errors.is_empty() && !key.contains('/') {
        return vec!["must include a prefix (e.g. 'example.com/key')".to_owned()];
    }
    errors
}

/// A DNS subdomain in which capitals are allowed, as old drivers' names have them.
pub fn is_dns1123_subdomain_caseless(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > 253 {
        errors.push(super::content::max_len_error(253));
    }
    if !is_dns1123_subdomain(&value.to_ascii_lowercase())
        .iter()
        .all(|error| error.starts_with("must be no more"))
    {
        errors.push(regex_error(CASELESS_TEXT, SUBDOMAIN, &["Example.com"]));
    }
    errors
}

/// An integer as people write it: no sign but `-`, no zero in front.
pub fn is_decimal_integer(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["must be non-empty".to_owned()];
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let canonical = value == "0" || digits.bytes().next().is_some_and(|first| (b'1'..=b'9').contains(&first));
    if canonical && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Vec::new();
    }
    vec![DECIMAL_TEXT.to_owned()]
}
