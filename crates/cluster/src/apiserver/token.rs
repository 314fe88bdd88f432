//! The `token` subresource of ServiceAccounts, and what a token says when somebody asks. A signature is drawn from what it
//! signs, so that another text has another one; no program outside can check it.
//!
//! Source: pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount/claims.go,
//! pkg/apis/authentication/validation/validation.go (v1.37).

use super::ApiServer;
use super::bodies::TOKEN_REQUEST;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use podlab_api::door::{Response, ResponseBody};
use podlab_api::{Object, Request, Status, StatusCause, kinds};
use serde_json::{Value, json};

/// Who issues tokens, and whom they are for unless the request says so.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// Seconds a token lives unless the request says so.
const LIFE: i64 = 3600;
/// The fewest and the most seconds that may be asked for.
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;
/// How the tokens in pods' volumes begin. Every pod has one and nearly nobody reads it, so it is short and not signed.
pub(crate) const MOUNTED: &str = "podlab.";
/// Bytes of an RS256 signature.
const SIGNATURE: usize = 256;

/// What a token says that is somebody's: its claims, or why it says nothing.
type Claims = Result<Value, &'static str>;

/// As whom a token's bearer is known.
fn subject(account: &Object) -> String {
    format!("system:serviceaccount:{}:{}", account.namespace(), account.name())
}

impl ApiServer {
    /// What a token says of its ServiceAccount, of what it ends with and where that runs.
    fn private_claims(&self, account: &Object, bound: Option<&Object>) -> Value {
        let named = |object: &Object| json!({"name": object.name(), "uid": object.uid()});
        let mut claims = json!({"namespace": account.namespace(), "serviceaccount": named(account)});
        if let Some(object) = bound {
            claims[object.kind.kind.to_lowercase()] = named(object);
            if let Some(node) = object.node_name().and_then(|node| self.store.get(&kinds::NODE, "", node)) {
                claims["node"] = named(node);
            }
        }
        claims
    }

    /// A signed token.
    fn sign(&self, payload: &Value) -> String {
        // One key signs all tokens of a cluster.
        let key = podlab_sim::Draw::keyed(self.settings.seed, "apiserver", "service-account-key", 0).hex(32);
        let head = json!({"alg": "RS256", "kid": BASE64.encode(key)});
        let signed = [head.to_string(), payload.to_string()].map(|part| BASE64.encode(part)).join(".");
        format!("{signed}.{}", self.signature(&signed))
    }

    /// The signature of a token's first two parts.
    fn signature(&self, signed: &str) -> String {
        let mut draw = podlab_sim::Draw::keyed(self.settings.seed, "apiserver", signed, 0);
        let mut bytes = Vec::with_capacity(SIGNATURE);
        while bytes.len() < SIGNATURE {
            bytes.extend_from_slice(&draw.next_u64().to_le_bytes());
        }
        BASE64.encode(&bytes)
    }

    /// Reads a token: it has to be signed here, to hold now, and what it is bound to has to be there.
    ///
    /// Source: pkg/serviceaccount/claims.go `Validate` (v1.37).
    fn claims(&self, token: &str) -> Claims {
        const NOT_OURS: &str = "invalid bearer token";
        if let Some(mounted) = token.strip_prefix(MOUNTED) {
            return self.mounted_claims(mounted).ok_or(NOT_OURS);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(NOT_OURS)?;
        if self.signature(signed) != signature {
            return Err(NOT_OURS);
        }
        let payload = signed.split_once('.').ok_or(NOT_OURS)?.1;
        let bytes = BASE64.decode(payload).map_err(|_| NOT_OURS)?;
        let claims: Value = serde_json::from_slice(&bytes).map_err(|_| NOT_OURS)?;
        let now = self.now.as_secs();
        let instant = |key: &str| claims.get(key).and_then(Value::as_i64).unwrap_or(0);
        if now > instant("exp") {
            return Err("[invalid bearer token, service account token has expired]");
        }
        if now < instant("nbf") {
            return Err("[invalid bearer token, service account token is not valid yet]");
        }
        let private = claims.get("kubernetes.io").cloned().unwrap_or_default();
        let text = |path: &str| private.pointer(path).and_then(Value::as_str).unwrap_or("");
        let bound = [
            (&kinds::SERVICE_ACCOUNT, "serviceaccount"),
            (&kinds::POD, "pod"),
            (&kinds::SECRET, "secret"),
            (&kinds::NODE, "node"),
        ];
        for (kind, key) in bound.into_iter().filter(|(_, key)| private.get(key).is_some()) {
            let place = if kind.namespaced { text("/namespace") } else { "" };
            let known = self.store.get(kind, place, text(&format!("/{key}/name")));
            if known.is_none_or(|known| known.uid() != text(&format!("/{key}/uid"))) {
                return Err("[invalid bearer token, service account token has been invalidated]");
            }
        }
        Ok(claims)
    }

    /// What the token in a pod's volume says: its text names no more than namespace, account and pod.
    fn mounted_claims(&self, text: &str) -> Option<Value> {
        let (namespace, rest) = text.split_once('.')?;
        let (name, uid) = rest.rsplit_once('.')?;
        let account = self.store.get(&kinds::SERVICE_ACCOUNT, namespace, name)?;
        let pod = self.store.list_namespace(&kinds::POD, namespace).find(|pod| pod.uid() == uid)?;
        let own = pod.pod_spec().and_then(|spec| spec.service_account_name.as_deref());
        if own.unwrap_or_default() != name {
            return None;
        }
        let id = podlab_sim::Draw::keyed(self.settings.seed, "kubelet-token", uid, 0).uuid();
        Some(json!({"aud": [ISSUER], "jti": id, "kubernetes.io": self.private_claims(account, Some(pod)),
            "sub": subject(account)}))
    }

    /// The answer to the question whose token this is.
    ///
    /// Source: pkg/registry/authentication/tokenreview/storage.go, pkg/serviceaccount/util.go `UserInfo` (v1.37).
    pub(super) fn review_token(&self, spec: &Value) -> Value {
        let refuse = |why: &str| json!({"user": {}, "error": why});
        let claims = match self.claims(spec.get("token").and_then(Value::as_str).unwrap_or("")) {
            Ok(claims) => claims,
            Err(why) => return refuse(why),
        };
        let list = |value: Option<&Value>| -> Vec<String> {
            let texts = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let own = list(claims.get("aud"));
        let mut wanted = list(spec.get("audiences"));
        if wanted.is_empty() {
            wanted.push(ISSUER.to_owned());
        }
        let common: Vec<&String> = own.iter().filter(|audience| wanted.contains(audience)).collect();
        if common.is_empty() {
            let quoted =
                |all: &[String]| all.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(" ");
            return refuse(&format!(
                "[invalid bearer token, token audiences [{}] is invalid for the target audiences [{}]]",
                quoted(&own),
                quoted(&wanted)
            ));
        }
        let text = |path: &str| claims.pointer(path).and_then(Value::as_str).unwrap_or("");
        let namespace = text("/kubernetes.io/namespace");
        let mut extra =
            json!({"authentication.kubernetes.io/credential-id": [format!("JTI={}", text("/jti"))]});
        for key in ["node", "pod"] {
            for part in ["name", "uid"] {
                let value = text(&format!("/kubernetes.io/{key}/{part}"));
                if !value.is_empty() {
                    extra[format!("authentication.kubernetes.io/{key}-{part}")] = json!([value]);
                }
            }
        }
        json!({"authenticated": true, "audiences": common, "user": {
            "username": text("/sub"),
            "uid": text("/kubernetes.io/serviceaccount/uid"),
            "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"),
                "system:authenticated"],
            "extra": extra}})
    }

    /// Makes a token for a ServiceAccount.
    ///
    /// # Errors
    /// There is no such ServiceAccount, or no object that the token is to be bound to; a life too short or too long.
    pub(super) fn create_token(
        &mut self,
        namespace: &str,
        name: &str,
        request: &Request,
    ) -> Result<Response, Status> {
        let kind = &kinds::SERVICE_ACCOUNT;
        let account = self.store.get(kind, namespace, name).cloned();
        let account = account.ok_or_else(|| Status::not_found(kind, name))?;
        let spec = request.body.get("spec").cloned().unwrap_or_default();
        let seconds = spec.get("expirationSeconds").and_then(Value::as_i64).unwrap_or(LIFE);
        let refusal = match seconds {
            ..SHORTEST => Some("may not specify a duration less than 10 minutes"),
            SHORTEST..=LONGEST => None,
            _ => Some("may not specify a duration larger than 2^32 seconds"),
        };
        if let Some(why) = refusal {
            let cause = StatusCause {
                reason: "FieldValueInvalid".into(),
                message: format!("Invalid value: {seconds}: {why}"),
                field: "spec.expirationSeconds".into(),
            };
            return Err(Status::invalid(&TOKEN_REQUEST, "", vec![cause]));
        }
        let bound = spec.get("boundObjectRef").cloned().unwrap_or_default();
        let mut object = None;
        if let Some(word) = bound.get("kind").and_then(Value::as_str) {
            let named = bound.get("name").and_then(Value::as_str).unwrap_or("");
            let kind = match word {
                "Pod" => &kinds::POD,
                "Secret" => &kinds::SECRET,
                _ => &kinds::NODE,
            };
            let place = if kind.namespaced { namespace } else { "" };
            let found = self.store.get(kind, place, named).ok_or_else(|| Status::not_found(kind, named))?;
            object = Some(found.clone());
        }
        let given = spec.get("audiences").and_then(Value::as_array).into_iter().flatten();
        let mut audiences: Vec<&str> = given.filter_map(Value::as_str).collect();
        if audiences.is_empty() {
            audiences.push(ISSUER);
        }
        let now = self.now.as_secs();
        let id = self.draw("token").uuid();
        let token = self.sign(&json!({
            "aud": audiences, "exp": now + seconds, "iat": now, "iss": ISSUER, "jti": id,
            "kubernetes.io": self.private_claims(&account, object.as_deref()), "nbf": now, "sub": subject(&account),
        }));
        let time =
            |seconds: i64| podlab_api::time::time_nanos(seconds.saturating_mul(1_000_000_000)).to_string();
        Ok(Response {
            code: 201,
            body: ResponseBody::Value(json!({
                "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                "metadata": {"name": name, "namespace": namespace, "uid": account.uid(), "creationTimestamp": time(now)},
                "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound},
                "status": {"token": token, "expirationTimestamp": time(now + seconds)},
            })),
            warnings: Vec::new(),
        })
    }
}
