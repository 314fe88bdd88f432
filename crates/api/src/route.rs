//! What a path means.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go `NewRequestInfo` (v1.37).

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// `/api`.
    LegacyVersions,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/v1`, `/apis/GROUP/VERSION`.
    Resources {
        /// Empty for the core group.
        group: String,
        /// `v1`.
        version: String,
    },
    /// An object, objects or what can be done with one.
    Resource(Target),
    /// `/version`, `/healthz/etcd`, `/openapi/v3/apis/apps/v1`: the parts of the path.
    Other(Vec<String>),
}

/// A resource path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// Empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// Empty for all namespaces or none.
    pub namespace: String,
    /// `pods`.
    pub resource: String,
    /// Empty where no object is named.
    pub name: String,
    /// Empty where the object itself is meant.
    pub subresource: String,
    /// What follows the subresource (of `proxy`).
    pub rest: String,
    /// Whether the path asks for changes (`/api/v1/watch/pods`).
    pub watch: bool,
}

/// Reads a path; `None` where it holds what no path may hold.
pub fn route(path: &str) -> Option<Route> {
    let parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).map(unescape).collect::<Option<_>>()?;
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["api"] => Route::LegacyVersions,
        ["api", version] => Route::Resources { group: String::new(), version: (*version).to_owned() },
        ["api", version, rest @ ..] => Route::Resource(target("", version, rest)),
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).to_owned()),
        ["apis", group, version] => {
            Route::Resources { group: (*group).to_owned(), version: (*version).to_owned() }
        }
        ["apis", group, version, rest @ ..] => Route::Resource(target(group, version, rest)),
        _ => Route::Other(parts),
    })
}

fn target(group: &str, version: &str, parts: &[&str]) -> Target {
    let mut target = Target { group: group.to_owned(), version: version.to_owned(), ..Target::default() };
    let mut parts = parts;
    if let ["watch", rest @ ..] = parts
        && !rest.is_empty()
    {
        target.watch = true;
        parts = rest;
    }
    if let ["namespaces", namespace, rest @ ..] = parts {
        // A namespace is an object too, and the part after it may be one of its subresources.
        let of_itself = matches!(rest, [] | ["status" | "finalize", ..]);
        if !of_itself {
            target.namespace = (*namespace).to_owned();
            parts = rest;
        }
    }
    let mut parts = parts.iter().map(|part| (*part).to_owned());
    target.resource = parts.next().unwrap_or_default();
    target.name = parts.next().unwrap_or_default();
    target.subresource = parts.next().unwrap_or_default();
    target.rest = parts.collect::<Vec<_>>().join("/");
    target
}

/// Takes percent escapes back; `None` for broken ones and for what is not UTF-8.
pub fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::{Route, Target, route};

    fn check(path: &str, expected: [&str; 6]) {
        let [group, version, namespace, resource, name, subresource] = expected.map(str::to_owned);
        let Some(Route::Resource(found)) = route(path) else { panic!("{path} is no resource") };
        let found = Target { rest: String::new(), ..found };
        let expected = Target { group, version, namespace, resource, name, subresource, ..Target::default() };
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths_name_resources() {
        check("/api/v1/pods", ["", "v1", "", "pods", "", ""]);
        check("/api/v1/namespaces", ["", "v1", "", "namespaces", "", ""]);
        check("/api/v1/namespaces/a", ["", "v1", "", "namespaces", "a", ""]);
        check("/api/v1/namespaces/a/finalize", ["", "v1", "", "namespaces", "a", "finalize"]);
        check("/api/v1/namespaces/a/pods/b/log", ["", "v1", "a", "pods", "b", "log"]);
        check(
            "/apis/apps/v1/namespaces/a/deployments/b/scale",
            ["apps", "v1", "a", "deployments", "b", "scale"],
        );
        check("/api/v1/nodes/n%2e1", ["", "v1", "", "nodes", "n.1", ""]);
    }

    #[test]
    fn paths_of_discovery_and_others_are_told_apart() {
        assert_eq!(route("/api/"), Some(Route::LegacyVersions));
        assert_eq!(route("/apis/apps"), Some(Route::Group("apps".into())));
        assert_eq!(route("/healthz/etcd"), Some(Route::Other(vec!["healthz".into(), "etcd".into()])));
        assert_eq!(route("/api/v1/a%"), None);
    }
}
