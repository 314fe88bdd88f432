//! `tables/qos.json`: quality of service.

use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use podlab_api::resources::compute_pod_qos;

use super::{Row, Use, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(recording, &[("TestGetPodQOS", Use::Compare(class))])
}

/// What the status says counts before what the spec adds up to.
fn class(row: &Row<'_>) -> Outcome {
    settle(row.decode::<Pod>("pod").map(|pod| {
        let said = pod.status.and_then(|status| status.qos_class).filter(|class| !class.is_empty());
        let got = said.unwrap_or_else(|| compute_pod_qos(&pod.spec.unwrap_or_default()).name().to_owned());
        Outcome::equal(row.text("want"), got)
    }))
}
