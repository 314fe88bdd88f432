//! Who asks, as the headers of a request say. Nothing is proved here: the server listens on loopback alone.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation.go, pkg/serviceaccount/util.go (v1.37).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use serde_json::{Value, json};

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Identity {
    /// `None` for the administrator.
    pub user: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

impl Identity {
    /// What a review says of them.
    pub(crate) fn info(&self) -> Value {
        match &self.user {
            Some(user) => json!({"username": user, "groups": self.groups}),
            None => json!({"username": "kubernetes-admin",
                "groups": ["kubeadm:cluster-admins", "system:authenticated"]}),
        }
    }
}

/// The one who is impersonated, else the ServiceAccount whose token is sent, else the administrator.
pub(crate) fn identity(headers: &HeaderMap) -> Identity {
    let all = |name: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let impersonated = all("impersonate-user").into_iter().find(|user| !user.is_empty());
    let (user, mut groups) = match impersonated {
        Some(user) => (Some(user), all("impersonate-group")),
        None => (all(AUTHORIZATION.as_str()).iter().find_map(|value| account(value)), Vec::new()),
    };
    if let Some(user) = &user {
        let mut add = |group: &str| {
            if !groups.iter().any(|own| own == group) {
                groups.push(group.to_owned());
            }
        };
        let place = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        if let Some((namespace, _)) = place {
            add("system:serviceaccounts");
            add(&format!("system:serviceaccounts:{namespace}"));
        }
        add(if user == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" });
    }
    Identity { user, groups }
}

/// The ServiceAccount that a bearer token is of.
fn account(authorization: &str) -> Option<String> {
    let payload = authorization.strip_prefix("Bearer ")?.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let subject = claims.get("sub")?.as_str()?;
    subject.starts_with("system:serviceaccount:").then(|| subject.to_owned())
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
        let bob = of(&[("impersonate-user", "bob"), ("impersonate-group", "dev")]);
        assert_eq!(
            (bob.user.as_deref(), bob.groups),
            (Some("bob"), vec!["dev".into(), "system:authenticated".into()])
        );
        // {"sub":"system:serviceaccount:a:b"}
        let token = "Bearer x.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YTpiIn0.y";
        let account = of(&[("authorization", token)]);
        assert_eq!(account.user.as_deref(), Some("system:serviceaccount:a:b"));
        assert_eq!(account.groups[1], "system:serviceaccounts:a");
    }
}
