//! The `token` subresource of ServiceAccounts. Nobody checks a token's signature here, so it is drawn, not reckoned.
//!
//! Source: pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount/claims.go,
//! pkg/apis/authentication/validation/validation.go (v1.37).

use super::ApiServer;
use podlab_api::door::{Response, ResponseBody};
use podlab_api::kinds::{BodyType, Support};
use podlab_api::{Kind, Request, Status, StatusCause, kinds};
use serde_json::{Value, json};

/// Who issues tokens, and whom they are for unless the request says so.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// Seconds a token lives unless the request says so.
const LIFE: i64 = 3600;
/// The fewest and the most seconds that may be asked for.
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;
/// Bytes of an RS256 signature.
const SIGNATURE: usize = 256;

/// What a token is asked for with: no object of the store.
static TOKEN_REQUEST: Kind = Kind {
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenRequest",
    plural: "tokenrequests",
    singular: "tokenrequest",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};

/// Base64 as URLs have it, without padding.
fn base64_url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_usize, |word, i| word << 8 | chunk.get(i).copied().map_or(0, usize::from));
        for i in 0..=chunk.len() {
            out.push(DIGITS.get(word >> (18 - 6 * i) & 63).copied().map_or('A', char::from));
        }
    }
    out
}

impl ApiServer {
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
        let mut claims = json!({
            "namespace": namespace,
            "serviceaccount": {"name": name, "uid": account.uid()},
        });
        if let Some(word) = bound.get("kind").and_then(Value::as_str) {
            let named = bound.get("name").and_then(Value::as_str).unwrap_or("");
            let (kind, key) = match word {
                "Pod" => (&kinds::POD, "pod"),
                "Secret" => (&kinds::SECRET, "secret"),
                _ => (&kinds::NODE, "node"),
            };
            let place = if kind.namespaced { namespace } else { "" };
            let object = self.store.get(kind, place, named).ok_or_else(|| Status::not_found(kind, named))?;
            claims[key] = json!({"name": named, "uid": object.uid()});
        }
        let audiences = match spec.get("audiences").and_then(Value::as_array) {
            Some(given) if !given.is_empty() => Value::Array(given.clone()),
            _ => json!([ISSUER]),
        };
        let now = self.now.as_nanos().div_euclid(1_000_000_000);
        let mut draw = self.draw("token");
        let jti = draw.uuid();
        let payload = json!({
            "aud": audiences, "exp": now + seconds, "iat": now, "iss": ISSUER, "jti": jti,
            "kubernetes.io": claims, "nbf": now, "sub": format!("system:serviceaccount:{namespace}:{name}"),
        });
        let mut signature = Vec::with_capacity(SIGNATURE);
        while signature.len() < SIGNATURE {
            signature.extend_from_slice(&draw.next_u64().to_le_bytes());
        }
        // One key signs all tokens of a cluster.
        let key = podlab_sim::Draw::keyed(self.settings.seed, "apiserver", "service-account-key", 0).hex(32);
        let head = json!({"alg": "RS256", "kid": base64_url(key.as_bytes())});
        let parts = [head.to_string(), payload.to_string()].map(|part| base64_url(part.as_bytes()));
        let token = format!("{}.{}.{}", parts[0], parts[1], base64_url(&signature));
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
