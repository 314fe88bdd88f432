//! Being taken for somebody else: `--as`, or the headers `Impersonate-*`.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation (v1.37).

use super::{Attributes, MASTERS, administrator, of_request, service_account_name};
use crate::apiserver::ApiServer;
use podlab_api::Status;
use podlab_api::door::{Request, UserInfo};

const AUTHENTICATION: &str = "authentication.k8s.io";
const ANONYMOUS: &str = "system:anonymous";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";

/// A way of being allowed to impersonate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// `impersonate:<mode>`, together with the verb on which: a node, a ServiceAccount, anybody else.
    Constrained(&'static str),
    /// `impersonate`, whatever is then done.
    Legacy,
}

impl ApiServer {
    /// Who asks, or whom they may be taken for.
    ///
    /// # Errors
    /// 403 where they may not, 400 where no user is named.
    pub(super) fn authenticated(&self, request: &Request) -> Result<UserInfo, Status> {
        let options = &request.options;
        let user = match &options.user {
            Some(user) => with_group((**user).clone()),
            None => administrator(),
        };
        let Some(wanted) = options.impersonate.as_deref() else { return Ok(user) };
        if wanted.name.is_empty() {
            return Err(Status::bad_request(format!(
                "requested {} without impersonating a user name",
                go_syntax(wanted)
            )));
        }
        if options.user.is_none() {
            return Ok(taken_for(wanted, Mode::Legacy));
        }
        let constrained = match (node_name(&wanted.name), service_account_name(&wanted.name)) {
            (Some(_), _) => only_name(wanted).then_some("arbitrary-node"),
            (None, Some(_)) => only_name(wanted).then_some("serviceaccount"),
            (None, None) => Some("user-info"),
        };
        let mut refusal = None;
        for mode in constrained.map(Mode::Constrained).into_iter().chain([Mode::Legacy]) {
            match self.check_impersonation(mode, wanted, &of_request(request, &user)) {
                Ok(()) => return Ok(taken_for(wanted, mode)),
                Err(status) => refusal = refusal.or(Some(status)),
            }
        }
        Err(refusal.unwrap_or_else(|| Status::internal_error("all impersonation modes failed")))
    }

    fn check_impersonation(
        &self,
        mode: Mode,
        wanted: &UserInfo,
        asked: &Attributes<'_>,
    ) -> Result<(), Status> {
        let (verb, group) = match mode {
            Mode::Constrained(mode) => {
                let on = format!("impersonate-on:{mode}:{}", asked.verb);
                self.check(&Attributes { verb: &on, ..*asked })?;
                (format!("impersonate:{mode}"), AUTHENTICATION)
            }
            Mode::Legacy => ("impersonate".to_owned(), ""),
        };
        let bare = Attributes { verb: &verb, group, ..Attributes::of(asked.user) };
        let who = match (service_account_name(&wanted.name), node_name(&wanted.name)) {
            (Some((namespace, name)), _) => {
                Attributes { resource: "serviceaccounts", namespace, name, ..bare }
            }
            (None, Some(name)) if mode != Mode::Legacy => Attributes { resource: "nodes", name, ..bare },
            _ => Attributes { resource: "users", name: &wanted.name, ..bare },
        };
        self.check(&who)?;
        if !wanted.uid.is_empty() {
            let name = wanted.uid.as_str();
            self.check(&Attributes { group: AUTHENTICATION, resource: "uids", name, ..bare })?;
        }
        for name in &wanted.groups {
            let group = Attributes { resource: "groups", name, ..bare };
            if mode != Mode::Legacy && name.is_empty() {
                return Err(group.forbidden("impersonating the empty string group is not allowed"));
            }
            if mode != Mode::Legacy && name == MASTERS {
                return Err(group.forbidden("impersonating the system:masters group is not allowed"));
            }
            self.check(&group)?;
        }
        for (key, values) in &wanted.extra {
            for name in values {
                let extra = Attributes {
                    group: AUTHENTICATION,
                    resource: "userextras",
                    subresource: key,
                    name,
                    ..bare
                };
                self.check(&extra)?;
            }
        }
        Ok(())
    }
}

/// Nothing but a name.
fn only_name(user: &UserInfo) -> bool {
    user.uid.is_empty() && user.groups.is_empty() && user.extra.is_empty()
}

fn node_name(user: &str) -> Option<&str> {
    user.strip_prefix("system:node:").filter(|name| !name.is_empty())
}

/// The user that is impersonated, with the groups that go with the name.
fn taken_for(wanted: &UserInfo, mode: Mode) -> UserInfo {
    let mut user = wanted.clone();
    if user.groups.is_empty()
        && let Some((namespace, _)) = service_account_name(&user.name)
    {
        user.groups =
            vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    }
    if mode != Mode::Legacy && node_name(&user.name).is_some() {
        user.groups = vec!["system:nodes".to_owned()];
    }
    with_group(user)
}

/// Everybody is either authenticated or not.
fn with_group(mut user: UserInfo) -> UserInfo {
    let group = match user.name.as_str() {
        ANONYMOUS => UNAUTHENTICATED,
        _ if user.groups.iter().any(|group| group == UNAUTHENTICATED) => return user,
        _ => AUTHENTICATED,
    };
    if !user.groups.iter().any(|own| own == group) {
        user.groups.push(group.to_owned());
    }
    user
}

/// As Go's `%#v` shows a user.
fn go_syntax(user: &UserInfo) -> String {
    let list = |values: &[String]| {
        let quoted: Vec<String> = values.iter().map(|value| podlab_api::go_text::quote(value)).collect();
        format!("[]string{{{}}}", quoted.join(", "))
    };
    let groups = if user.groups.is_empty() { "[]string(nil)".to_owned() } else { list(&user.groups) };
    let extra = if user.extra.is_empty() {
        "map[string][]string(nil)".to_owned()
    } else {
        let entries: Vec<String> =
            user.extra.iter().map(|(key, values)| format!("{key:?}:{}", list(values))).collect();
        format!("map[string][]string{{{}}}", entries.join(", "))
    };
    format!("&user.DefaultInfo{{Name:\"\", UID:{:?}, Groups:{groups}, Extra:{extra}}}", user.uid)
}
