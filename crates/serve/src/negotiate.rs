//! In which form an answer is wanted, and in which a body comes.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go (v1.37).

use crate::protobuf;
use crate::refuse::not_acceptable;
use podlab_api::Status;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// The objects themselves.
    #[default]
    Objects,
    /// A Table, printed by the server.
    Table,
    /// Metadata alone.
    Metadata,
    /// Discovery of all groups at once.
    Discovery,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `application/json`.
    #[default]
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
}

/// What a client accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// Of what form.
    pub form: Form,
    /// Written how.
    pub encoding: Encoding,
}

/// The first clause of an `Accept` header that can be served, the best first; an empty header accepts all.
///
/// # Errors
/// 406 where none can.
pub(crate) fn accept(header: &str) -> Result<Accepts, Status> {
    let mut clauses: Vec<(i32, &str)> = header
        .split(',')
        .map(str::trim)
        .filter(|clause| !clause.is_empty())
        .map(|clause| (-quality(clause), clause))
        .collect();
    clauses.sort_by_key(|(quality, _)| *quality);
    if clauses.is_empty() {
        return Ok(Accepts::default());
    }
    clauses.into_iter().find_map(|(_, clause)| read(clause)).ok_or_else(not_acceptable)
}

/// 0 to 1000; 1000 where nothing is said.
fn quality(clause: &str) -> i32 {
    let value = clause.split(';').find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
    (value.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as i32
}

fn read(clause: &str) -> Option<Accepts> {
    let mut parts = clause.split(';').map(str::trim);
    let encoding = match parts.next()? {
        "*/*" | "application/*" | "application/json" => Encoding::Json,
        "application/yaml" => Encoding::Yaml,
        // Tables have no form in protobuf, and metadata alone is asked for as JSON besides.
        protobuf::MEDIA_TYPE if !clause.contains("as=") => Encoding::Protobuf,
        _ => return None,
    };
    let (mut kind, mut group, mut version) = ("", "", "");
    for part in parts {
        match part.split_once('=') {
            Some(("as", value)) => kind = value,
            Some(("g", value)) => group = value,
            Some(("v", value)) => version = value,
            _ => {}
        }
    }
    let form = match (kind, group, version) {
        ("", ..) => Form::Objects,
        ("Table", "meta.k8s.io", "v1") => Form::Table,
        ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => Form::Metadata,
        ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") => Form::Discovery,
        _ => return None,
    };
    Some(Accepts { form, encoding })
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Form, accept};

    #[test]
    fn the_first_clause_that_is_served_counts() {
        let form = |header| accept(header).map(|accepts| accepts.form).map_err(|status| status.code);
        assert_eq!(form(""), Ok(Form::Objects));
        assert_eq!(form("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), Ok(Form::Table));
        assert_eq!(
            form("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"),
            Ok(Form::Objects)
        );
        assert_eq!(form("application/vnd.kubernetes.protobuf,application/json"), Ok(Form::Objects));
        assert_eq!(accept("application/vnd.kubernetes.protobuf").unwrap().encoding, Encoding::Protobuf);
        assert_eq!(form("application/cbor"), Err(406));
        assert_eq!(
            form("application/json;q=0.1, application/json;as=Table;v=v1;g=meta.k8s.io"),
            Ok(Form::Table)
        );
        assert_eq!(accept("application/yaml").unwrap().encoding, Encoding::Yaml);
    }
}
