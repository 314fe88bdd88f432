//! Who asks, as the headers of a request say. Nothing is proved here: the server listens on loopback alone.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation, pkg/serviceaccount/util.go (v1.37).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, USER_AGENT};
use podlab_api::door::{RequestOptions, UserInfo};
use serde_json::Value;

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Identity {
    /// `None` for the administrator.
    pub user: Option<Box<UserInfo>>,
    /// As whom they want to be taken.
    pub impersonate: Option<Box<UserInfo>>,
    /// The program that asks, by its name.
    pub agent: String,
}

impl Identity {
    /// Tells the cluster.
    pub(crate) fn tell(&self, options: &mut RequestOptions) {
        options.user.clone_from(&self.user);
        options.impersonate.clone_from(&self.impersonate);
        if options.field_manager.as_deref().is_none_or(str::is_empty) {
            let agent = if self.agent.is_empty() { "unknown" } else { &self.agent };
            options.field_manager = Some(agent.to_owned());
        }
    }
}

/// The ServiceAccount whose token is sent, else the administrator; and the one who is impersonated.
pub(crate) fn identity(headers: &HeaderMap) -> Identity {
    let values = headers.get_all(AUTHORIZATION).iter().filter_map(|value| value.to_str().ok());
    let user = values.filter_map(account).next().map(Box::new);
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).map(program);
    Identity { user, impersonate: impersonated(headers), agent: agent.unwrap_or_default() }
}

/// A user agent's name, as the manager of fields where the request names none.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go `prefixFromUserAgent` (v1.37).
fn program(agent: &str) -> String {
    let name = agent.split('/').next().unwrap_or("");
    name.chars().filter(|c| !c.is_control()).take(128).collect()
}

fn impersonated(headers: &HeaderMap) -> Option<Box<UserInfo>> {
    let all = |name: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let first = |name: &str| all(name).into_iter().next().unwrap_or_default();
    let mut user = UserInfo {
        name: first("impersonate-user"),
        uid: first("impersonate-uid"),
        groups: all("impersonate-group"),
        ..UserInfo::default()
    };
    for (name, value) in headers {
        if let (Some(key), Ok(value)) = (name.as_str().strip_prefix("impersonate-extra-"), value.to_str()) {
            user.extra.entry(unescaped(key).to_lowercase()).or_default().push(value.to_owned());
        }
    }
    (user != UserInfo::default()).then(|| Box::new(user))
}

/// A header's key with its `%2f` taken for what they mean; left as it is where they mean nothing.
fn unescaped(key: &str) -> String {
    let mut out = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
                return key.to_owned();
            };
            out.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(first);
            rest = after;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| key.to_owned())
}

/// The ServiceAccount that a bearer token is of.
fn account(authorization: &str) -> Option<UserInfo> {
    let payload = authorization.strip_prefix("Bearer ")?.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let name = claims.get("sub")?.as_str()?;
    let (namespace, _) = name.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    let text = |path: &str| claims.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
    Some(UserInfo {
        name: name.to_owned(),
        uid: text("/kubernetes.io/serviceaccount/uid"),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ],
        ..UserInfo::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Identity, identity};
    use hyper::HeaderMap;

    fn of(headers: &[(&'static str, &str)]) -> Identity {
        identity(
            &headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<HeaderMap>(),
        )
    }

    #[test]
    fn headers_say_who_asks() {
        assert_eq!(of(&[]), Identity::default());
        assert_eq!(of(&[("authorization", "Bearer whatever")]).user, None);
        let bob = of(&[
            ("impersonate-user", "bob"),
            ("impersonate-group", "dev"),
            ("impersonate-extra-example.com%2fteam", "x"),
        ]);
        let bob = bob.impersonate.unwrap();
        assert_eq!((bob.name.as_str(), bob.groups.as_slice()), ("bob", ["dev".to_owned()].as_slice()));
        assert_eq!(bob.extra["example.com/team"], ["x"]);
        // {"sub":"system:serviceaccount:a:b"}
        let token = "Bearer x.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YTpiIn0.y";
        let account = of(&[("authorization", token)]).user.unwrap();
        assert_eq!(account.name, "system:serviceaccount:a:b");
        assert_eq!(account.groups[1], "system:serviceaccounts:a");
    }
}
