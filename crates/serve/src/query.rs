//! The query of a request: what it may say, and how it is said wrong.

use crate::refuse::{cause, check};
use podlab_api::Status;
use podlab_api::door::{ExecOptions, FieldValidation, LogOptions, Propagation, RequestOptions};
use podlab_api::route::{Target, unescape};

/// The parameters in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string; what cannot be unescaped is left out, as Go's parser does.
    pub(crate) fn parse(text: &str) -> Query {
        let word = |text: &str| unescape(&text.replace('+', " "));
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((word(key)?, word(value)?))
        });
        Query(pairs.collect())
    }

    /// The first value of a parameter that is not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// A flag: absent is false; `true` and `1` are true, and so is a parameter without a value.
    ///
    /// Source: k8s.io/apimachinery/pkg/runtime/conversion.go `Convert_Slice_string_To_bool` (v1.37).
    pub(crate) fn flag(&self, key: &str) -> bool {
        let value = self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.to_lowercase());
        value.is_some_and(|value| value != "false" && value != "0")
    }

    /// A whole number.
    ///
    /// # Errors
    /// 400 in Go's words where it is none.
    pub(crate) fn number(&self, key: &str) -> Result<Option<i64>, Status> {
        let Some(text) = self.get(key) else { return Ok(None) };
        text.parse()
            .map(Some)
            .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))
    }
}

/// What a list or a watch may ask for beside selectors.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListQuery {
    /// Changes rather than objects.
    pub watch: bool,
    /// At most so many.
    pub limit: Option<usize>,
    /// Where to go on.
    pub token: Option<String>,
    /// `resourceVersion`.
    pub version: Option<String>,
    /// `resourceVersionMatch`.
    pub version_match: Option<String>,
    /// Seconds until a watch ends.
    pub timeout: Option<i64>,
    /// Whether bookmarks are sent.
    pub bookmarks: bool,
    /// Whether a watch begins with the objects that exist.
    pub initial_events: Option<bool>,
}

/// Reads what only lists and watches know.
///
/// # Errors
/// 400 for what is no number; 422 for parameters that do not go together.
pub(crate) fn list_query(query: &Query, target: &Target) -> Result<ListQuery, Status> {
    let owned = |key: &str| query.get(key).map(str::to_owned);
    let read = ListQuery {
        watch: target.watch || query.flag("watch"),
        limit: query
            .number("limit")?
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0),
        token: owned("continue"),
        version: owned("resourceVersion"),
        version_match: owned("resourceVersionMatch"),
        timeout: query.number("timeoutSeconds")?,
        bookmarks: query.flag("allowWatchBookmarks"),
        initial_events: query.get("sendInitialEvents").map(|_| query.flag("sendInitialEvents")),
    };
    check_list(&read)?;
    Ok(read)
}

/// Source: k8s.io/apimachinery/pkg/apis/meta/internalversion/validation/validation.go
/// `ValidateListOptions`, `validateWatchOptions` (v1.37).
fn check_list(list: &ListQuery) -> Result<(), Status> {
    const MATCH: &str = "resourceVersionMatch";
    let forbidden = |text: &str| cause("FieldValueForbidden", MATCH, format!("Forbidden: {text}"));
    let unsupported = |value: &str, known: &str| {
        let text = format!("Unsupported value: {value:?}: supported values: {known}");
        cause("FieldValueNotSupported", MATCH, text)
    };
    let how = list.version_match.as_deref();
    let mut causes = Vec::new();
    if list.watch {
        match (list.initial_events, how) {
            (Some(_), None) => causes
                .push(forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")),
            (None, Some(_)) => {
                causes.push(forbidden(
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                ));
            }
            _ => {}
        }
        if let Some(how) = how.filter(|how| *how != "NotOlderThan") {
            causes.push(unsupported(how, "\"NotOlderThan\""));
        }
        return check("ListOptions", causes);
    }
    if list.initial_events.is_some() {
        let text = "Forbidden: sendInitialEvents is forbidden for list";
        causes.push(cause("FieldValueForbidden", "sendInitialEvents", text));
    }
    if let Some(how) = how {
        if list.version.is_none() {
            causes.push(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        if list.token.is_some() {
            causes.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
        }
        if how != "Exact" && how != "NotOlderThan" {
            causes.push(unsupported(how, "\"Exact\", \"NotOlderThan\", \"\""));
        }
        if how == "Exact" && list.version.as_deref() == Some("0") {
            causes.push(forbidden("resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""));
        }
    }
    check("ListOptions", causes)
}

/// Checks the parameters of a write; `kind` names its options (`PatchOptions`), `apply` says whether it is an apply.
///
/// Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go (v1.37).
///
/// # Errors
/// 422 with all causes.
pub(crate) fn check_write(query: &Query, kind: &str, apply: bool) -> Result<(), Status> {
    const UNSUPPORTED: &str = "FieldValueNotSupported";
    let mut causes = Vec::new();
    if kind == "PatchOptions" {
        if apply && query.get("fieldManager").is_none() {
            causes.push(cause(
                "FieldValueRequired",
                "fieldManager",
                "Required value: is required for apply patch",
            ));
        }
        if !apply && query.0.iter().any(|(key, _)| key == "force") {
            causes.push(cause(
                "FieldValueForbidden",
                "force",
                "Forbidden: may not be specified for non-apply patch",
            ));
        }
    }
    let deletes = kind == "DeleteOptions";
    if deletes && let Some(policy) = query.all("propagationPolicy").next() {
        if !matches!(policy, "Foreground" | "Background" | "Orphan") {
            let text = format!(
                "Unsupported value: {policy:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            causes.push(cause(UNSUPPORTED, "propagationPolicy", text));
        }
    } else if let Some(manager) = query.get("fieldManager").filter(|_| !deletes) {
        if manager.len() > 128 {
            let text = "Too long: may not be more than 128 bytes";
            causes.push(cause("FieldValueTooLong", "fieldManager", text));
        }
        let unprintable = |c: &char| c.is_control() || (c.is_whitespace() && *c != ' ');
        for (at, c) in manager.char_indices().filter(|(_, c)| unprintable(c)) {
            let (shown, code) = (podlab_api::go_text::quote(manager), u32::from(c));
            let text = format!("Invalid value: {shown}: invalid character U+{code:04X} (at position {at})");
            causes.push(cause("FieldValueInvalid", "fieldManager", text));
        }
    }
    let directives: Vec<&str> = query.all("dryRun").collect();
    if directives.iter().any(|value| *value != "All") {
        let text = format!("Unsupported value: {}: supported values: \"All\"", go_list(&directives));
        causes.push(cause(UNSUPPORTED, "dryRun", text));
    }
    if !deletes {
        let known = ["Ignore", "Strict", "Warn"];
        if let Some(level) = query.get("fieldValidation").filter(|level| !known.contains(level)) {
            let text = format!(
                "Unsupported value: {level:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
            );
            causes.push(cause(UNSUPPORTED, "fieldValidation", text));
        }
    }
    check(kind, causes)
}

/// A list of words as Go's `%#v` of JSON shows it.
fn go_list(words: &[&str]) -> String {
    podlab_api::go_text::json(
        &words.iter().map(|word| (*word).into()).collect::<Vec<serde_json::Value>>().into(),
    )
}

/// The options that the cluster's door knows.
///
/// # Errors
/// 400 for what is no number.
pub(crate) fn request_options(query: &Query) -> Result<RequestOptions, Status> {
    let owned = |key: &str| query.get(key).map(str::to_owned);
    let dry_run = query.all("dryRun").any(|value| value == "All");
    let field_validation = match query.get("fieldValidation") {
        Some("Ignore") => FieldValidation::Ignore,
        Some("Strict") => FieldValidation::Strict,
        _ => FieldValidation::Warn,
    };
    let propagation = match query.get("propagationPolicy") {
        None if query.get("orphanDependents").is_some() => {
            Some(if query.flag("orphanDependents") { Propagation::Orphan } else { Propagation::Background })
        }
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        _ => None,
    };
    Ok(RequestOptions {
        label_selector: owned("labelSelector"),
        field_selector: owned("fieldSelector"),
        dry_run,
        field_validation,
        field_manager: owned("fieldManager"),
        force: query.flag("force"),
        grace_period_seconds: query.number("gracePeriodSeconds")?,
        propagation,
        log: LogOptions {
            container: owned("container"),
            follow: query.flag("follow"),
            previous: query.flag("previous"),
            timestamps: query.flag("timestamps"),
            since_seconds: query.number("sinceSeconds")?,
            since_time: owned("sinceTime"),
            tail_lines: query.number("tailLines")?,
            limit_bytes: query.number("limitBytes")?,
        },
        exec: ExecOptions {
            container: owned("container"),
            command: query.all("command").map(str::to_owned).collect(),
            stdin: query.flag("stdin"),
            tty: query.flag("tty"),
        },
        ..RequestOptions::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Query, check_write, list_query, request_options};
    use podlab_api::route::Target;

    #[test]
    fn parameters_are_unescaped_and_may_repeat() {
        let query = Query::parse("command=sh&command=-c&command=echo+a%26b&stdin=true&tty=false&x");
        assert_eq!(query.all("command").collect::<Vec<_>>(), ["sh", "-c", "echo a&b"]);
        assert!(query.flag("stdin") && !query.flag("tty") && query.flag("x"));
        assert_eq!(query.number("limit").unwrap(), None);
        assert!(Query::parse("limit=a").number("limit").is_err());
    }

    #[test]
    fn parameters_that_do_not_go_together_are_refused() {
        let refused = |text: &str| list_query(&Query::parse(text), &Target::default()).err().map(|s| s.code);
        assert_eq!(refused("watch=1&sendInitialEvents=true"), Some(422));
        assert_eq!(refused("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"), None);
        assert_eq!(refused("resourceVersionMatch=Exact"), Some(422));
        assert_eq!(refused("resourceVersionMatch=Exact&resourceVersion=5"), None);
        let write = |text: &str, kind: &str, apply: bool| {
            check_write(&Query::parse(text), kind, apply).err().map(|status| status.message)
        };
        assert_eq!(
            write("dryRun=Some", "CreateOptions", false).unwrap(),
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""
        );
        assert_eq!(
            write("", "PatchOptions", true).unwrap(),
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
        );
        assert!(write("force=true", "PatchOptions", false).is_some());
        assert_eq!(
            write("fieldManager=a%0Ab", "UpdateOptions", false).unwrap(),
            "UpdateOptions.meta.k8s.io \"\" is invalid: fieldManager: Invalid value: \"a\\nb\": invalid character U+000A \
             (at position 1)"
        );
        assert_eq!(
            write("propagationPolicy=", "DeleteOptions", false).unwrap(),
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"\": supported values: \
             \"Foreground\", \"Background\", \"Orphan\", \"nil\""
        );
        assert_eq!(write("fieldManager=me&force=true&dryRun=All", "PatchOptions", true), None);
        assert!(request_options(&Query::parse("gracePeriodSeconds=a")).is_err());
    }
}
