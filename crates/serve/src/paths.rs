//! Paths that name no object: discovery, OpenAPI, version and health.

use crate::discovery::{self, Served};
use crate::negotiate::{Accepts, Encoding, Form};
use crate::openapi;
use crate::render;
use crate::reply::{self, Reply};
use hyper::header::CONTENT_TYPE;
use podlab_api::route::Route;
use podlab_api::{Kind, Status};
use serde_json::json;
use std::net::SocketAddr;

/// A document of discovery.
pub(crate) fn discover(
    address: SocketAddr,
    defined: &[&'static Kind],
    route: &Route,
    accepts: Accepts,
) -> Reply {
    let served = discovery::served_with(defined);
    if accepts.form == Form::Discovery && matches!(route, Route::LegacyVersions | Route::Groups) {
        let value = discovery::aggregated(&served, *route == Route::LegacyVersions);
        let mut reply = reply::document(200, render::value(&value), Encoding::Json);
        const TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        reply::set(&mut reply, CONTENT_TYPE, TYPE);
        reply::set(&mut reply, hyper::header::VARY, "Accept");
        return reply;
    }
    let value = match route {
        Route::LegacyVersions => Some(discovery::api_versions(&address.to_string())),
        Route::Groups => Some(discovery::groups(&served)),
        Route::Group(name) => discovery::group(&served, name),
        Route::Resources { group, version } => discovery::resource_list(&served, group, version),
        Route::Resource(_) | Route::Other(_) => None,
    };
    match value {
        Some(value) => reply::document(200, render::value(&value), accepts.encoding),
        None => unknown(&served, route),
    }
}

/// What no version of a group is; a group that is not served is nothing at all.
fn unknown(served: &[Served], route: &Route) -> Reply {
    match route {
        Route::Resources { group, .. } if served.iter().any(|one| one.group == *group) => {
            reply::status(&Status::no_such_resource(), Encoding::Json)
        }
        _ => reply::not_found(),
    }
}

/// Paths beside the API's own.
///
/// `target` is the path with its query.
pub(crate) fn other(parts: &[String], target: &str, accept: &str, defined: &[&'static Kind]) -> Reply {
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["version"] => reply::raw(podlab_api::server_version::answer()),
        ["healthz" | "livez" | "readyz", ..] => {
            podlab_api::health::answer(target).map_or_else(reply::not_found, |text| reply::text(200, &text))
        }
        ["openapi", "v2"]
            if accept.is_empty() || accept.contains('*') || accept.contains("application/json") =>
        {
            reply::raw(openapi::v2(defined).into_owned())
        }
        ["openapi", "v2"] => reply::text(406, ""),
        ["openapi", "v3"] => reply::raw(openapi::index(defined).to_string()),
        ["openapi", "v3", path @ ..] => match openapi::document(&path.join("/"), defined) {
            Some(document) => {
                let mut reply = reply::raw(document.text.clone());
                reply::set(&mut reply, hyper::header::ETAG, &format!("\"{}\"", document.hash));
                reply::set(&mut reply, hyper::header::CACHE_CONTROL, "public, immutable");
                reply
            }
            None => reply::not_found(),
        },
        [] => {
            let paths = [
                "/api",
                "/api/v1",
                "/apis",
                "/healthz",
                "/livez",
                "/openapi/v2",
                "/openapi/v3",
                "/readyz",
                "/version",
            ];
            reply::indented(&json!({"paths": paths}))
        }
        _ => reply::not_found(),
    }
}
