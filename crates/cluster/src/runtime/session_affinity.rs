//! Session affinity: a client's connections to a Service go where its last one went.
//!
//! Source: pkg/proxy/iptables/proxier.go `writeServiceToEndpointRules` (v1.37): a list of recent clients an endpoint, in which
//! every connection is noted anew.

use podlab_api::Object;
use podlab_sim::{SimDuration, SimTime};
use serde_json::Value;
use std::collections::BTreeMap;

/// More entries than this are looked through for those that have run out.
const ENTRIES: usize = 1024;

/// Source: pkg/apis/core/v1/defaults.go `SetDefaults_Service` (v1.37).
const DEFAULT_TIMEOUT: u64 = 10_800;

/// Where clients were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionAffinity {
    /// By the Service's uid, the port's name and the client's address: an endpoint, and until when it holds.
    recent: BTreeMap<(String, String, String), (String, SimTime)>,
}

impl SessionAffinity {
    /// Which of `targets` a connection goes to: where the client's last one went, else the one that was drawn.
    pub(super) fn choose(
        &mut self,
        service: &Object,
        port: &str,
        client: &str,
        now: SimTime,
        targets: &[(String, u16)],
        drawn: usize,
    ) -> usize {
        let Some(timeout) = timeout_of(service) else { return drawn };
        if self.recent.len() > ENTRIES {
            self.recent.retain(|_, (_, until)| *until > now);
        }
        let key = (service.uid().to_owned(), port.to_owned(), client.to_owned());
        let known = self.recent.get(&key).filter(|(_, until)| *until > now);
        let known = known.and_then(|(address, _)| targets.iter().position(|(target, _)| target == address));
        let chosen = known.unwrap_or(drawn);
        if let Some((address, _)) = targets.get(chosen) {
            self.recent.insert(key, (address.clone(), now + timeout));
        }
        chosen
    }
}

/// How long a client is sent to the same endpoint; `None` for a Service without affinity.
fn timeout_of(service: &Object) -> Option<SimDuration> {
    let spec = service.field("spec")?;
    if spec.get("sessionAffinity").and_then(Value::as_str) != Some("ClientIP") {
        return None;
    }
    let seconds = spec.pointer("/sessionAffinityConfig/clientIP/timeoutSeconds").and_then(Value::as_u64);
    Some(SimDuration::from_secs(seconds.unwrap_or(DEFAULT_TIMEOUT)))
}
