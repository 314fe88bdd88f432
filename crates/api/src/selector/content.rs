//! What label keys and values may look like.
//!
//! Source: staging/src/k8s.io/apimachinery/pkg/api/validate/content/kube.go (v1.37).

const NAME_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                         alphanumeric character";
const NAME_FORMAT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
                              or '.', and must start and end with an alphanumeric character";
const SUBDOMAIN_FORMAT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/// The longest label name or value, in bytes.
pub const LABEL_MAX_LENGTH: usize = 63;
/// The longest DNS subdomain, in bytes.
pub const SUBDOMAIN_MAX_LENGTH: usize = 253;

fn name_examples(rule: &str) -> String {
    format!(
        "{rule} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME_FORMAT}')"
    )
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(|label| {
        let bytes = label.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.first().is_some_and(allowed)
            && bytes.last().is_some_and(allowed)
            && bytes.iter().all(|byte| allowed(byte) || *byte == b'-')
    })
}

/// The reasons why a text is no DNS-1123 subdomain.
#[must_use]
pub fn dns1123_subdomain_errors(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > SUBDOMAIN_MAX_LENGTH {
        errors.push(format!("must be no more than {SUBDOMAIN_MAX_LENGTH} bytes"));
    }
    if !is_subdomain(value) {
        errors.push(format!(
            "{SUBDOMAIN_RULE} (e.g. 'example.com', regex used for validation is '{SUBDOMAIN_FORMAT}')"
        ));
    }
    errors
}

/// The reasons why a text is no label key (Kubernetes' "qualified name"); empty where it is one.
#[must_use]
pub fn label_key_errors(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let mut parts = value.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                errors.extend(
                    dns1123_subdomain_errors(prefix).iter().map(|error| format!("prefix part {error}")),
                );
            }
            name
        }
        _ => {
            let rule = name_examples(&format!("a valid label key {NAME_RULE}"));
            return vec![format!(
                "{rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX_LENGTH {
        errors.push(format!("name part must be no more than {LABEL_MAX_LENGTH} bytes"));
    }
    if !is_name(name) {
        errors.push(format!("name part {}", name_examples(NAME_RULE)));
    }
    errors
}

/// The reasons why a text is no label value; empty where it is one.
#[must_use]
pub fn label_value_errors(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > LABEL_MAX_LENGTH {
        errors.push(format!("must be no more than {LABEL_MAX_LENGTH} bytes"));
    }
    if !value.is_empty() && !is_name(value) {
        errors.push(format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
             for validation is '({NAME_FORMAT})?')"
        ));
    }
    errors
}
