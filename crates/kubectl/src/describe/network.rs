//! Services, endpoints, Ingresses, NetworkPolicies.

use super::{Out, or, pairs, selector};
use crate::cx::Cx;
use crate::error::Result;
use crate::value::{at, int, list, name, namespace, plain, text};
use podlab_api::{Request, kinds};
use serde_json::Value;

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The slices that belong to a service.
fn slices(cx: &mut Cx<'_>, service: &Value) -> Vec<Value> {
    let mut request = Request::list(&kinds::ENDPOINT_SLICE, namespace(service));
    request.options.label_selector = Some(format!("kubernetes.io/service-name={}", name(service)));
    match cx.list(request) {
        Ok(list) => list.items.iter().map(|o| o.to_value()).collect(),
        Err(_) => Vec::new(),
    }
}

/// The endpoints of one port; at most three are named.
fn endpoints_of(slices: &[Value], port_name: &str) -> String {
    let mut all: Vec<String> = Vec::new();
    for slice in slices {
        for port in list(slice, &["ports"]).iter().filter(|p| text(p, &["name"]) == port_name) {
            for endpoint in list(slice, &["endpoints"]) {
                if at(endpoint, &["conditions", "ready"]).as_bool() == Some(false) {
                    continue;
                }
                for address in words(at(endpoint, &["addresses"])) {
                    all.push(format!("{address}:{}", int(port, &["port"])));
                }
            }
        }
    }
    if all.is_empty() {
        return "<none>".to_owned();
    }
    let shown = all.get(..3).unwrap_or(&all).join(",");
    if all.len() > 3 { format!("{shown} + {} more...", all.len() - 3) } else { shown }
}

pub(super) fn service(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.head(object);
    out.line(0, format!("Selector:\t{}", pairs(at(spec, &["selector"]))));
    out.line(0, format!("Type:\t{}", text(spec, &["type"])));
    if !text(spec, &["ipFamilyPolicy"]).is_empty() {
        out.line(0, format!("IP Family Policy:\t{}", text(spec, &["ipFamilyPolicy"])));
    }
    let families = words(at(spec, &["ipFamilies"])).join(",");
    if text(spec, &["type"]) != "ExternalName" || !families.is_empty() {
        out.line(0, format!("IP Families:\t{}", or(&families, "<none>")));
    }
    out.line(0, format!("IP:\t{}", text(spec, &["clusterIP"])));
    let ips = words(at(spec, &["clusterIPs"])).join(",");
    out.line(0, format!("IPs:\t{}", or(&ips, "<none>")));
    let external = words(at(spec, &["externalIPs"]));
    if !external.is_empty() {
        out.line(0, format!("External IPs:\t{}", external.join(",")));
    }
    for (title, field) in [("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName")] {
        if !text(spec, &[field]).is_empty() {
            out.line(0, format!("{title}:\t{}", text(spec, &[field])));
        }
    }
    let points: Vec<String> = list(status, &["loadBalancer", "ingress"])
        .iter()
        .map(|p| {
            let point = match text(p, &["ip"]) {
                "" => text(p, &["hostname"]),
                ip => ip,
            };
            match text(p, &["ipMode"]) {
                "" => point.to_owned(),
                mode => format!("{point} ({mode})"),
            }
        })
        .collect();
    if !points.is_empty() {
        out.line(0, format!("LoadBalancer Ingress:\t{}", points.join(", ")));
    }
    let slices = slices(cx, object);
    for port in list(spec, &["ports"]) {
        let own = or(text(port, &["name"]), "<unset>");
        let protocol = text(port, &["protocol"]);
        out.line(0, format!("Port:\t{own}\t{}/{protocol}", int(port, &["port"])));
        out.line(0, format!("TargetPort:\t{}/{protocol}", plain(at(port, &["targetPort"]))));
        if int(port, &["nodePort"]) != 0 {
            out.line(0, format!("NodePort:\t{own}\t{}/{protocol}", int(port, &["nodePort"])));
        }
        out.line(0, format!("Endpoints:\t{}", endpoints_of(&slices, text(port, &["name"]))));
    }
    out.line(0, format!("Session Affinity:\t{}", text(spec, &["sessionAffinity"])));
    for (title, field) in [
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("Traffic Distribution", "trafficDistribution"),
    ] {
        if !text(spec, &[field]).is_empty() {
            out.line(0, format!("{title}:\t{}", text(spec, &[field])));
        }
    }
    if int(spec, &["healthCheckNodePort"]) != 0 {
        out.line(0, format!("HealthCheck NodePort:\t{}", int(spec, &["healthCheckNodePort"])));
    }
    let ranges = words(at(spec, &["loadBalancerSourceRanges"]));
    if !ranges.is_empty() {
        out.line(0, format!("LoadBalancer Source Ranges:\t{}", ranges.join(",")));
    }
    Ok(())
}

pub(super) fn endpoints(out: &mut Out, object: &Value) {
    out.head(object);
    out.line(0, "Subsets:");
    for subset in list(object, &["subsets"]) {
        for (title, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
            let ips: Vec<&str> = list(subset, &[field]).iter().map(|a| text(a, &["ip"])).collect();
            out.line(1, format!("{title}:\t{}", or(&ips.join(","), "<none>")));
        }
        let ports = list(subset, &["ports"]);
        if !ports.is_empty() {
            out.line(1, "Ports:");
            out.line(2, "Name\tPort\tProtocol");
            out.line(2, "----\t----\t--------");
            for port in ports {
                out.line(
                    2,
                    format!(
                        "{}\t{}\t{}",
                        or(text(port, &["name"]), "<unset>"),
                        int(port, &["port"]),
                        text(port, &["protocol"])
                    ),
                );
            }
        }
        out.line(0, "");
    }
}

pub(super) fn endpoint_slice(out: &mut Out, object: &Value) {
    out.head(object);
    out.line(0, format!("AddressType:\t{}", text(object, &["addressType"])));
    let ports = list(object, &["ports"]);
    if ports.is_empty() {
        out.line(0, "Ports: <unset>");
    } else {
        out.line(0, "Ports:");
        out.line(1, "Name\tPort\tProtocol");
        out.line(1, "----\t----\t--------");
        for port in ports {
            let number = at(port, &["port"]).as_i64().map_or("<unset>".to_owned(), |n| n.to_string());
            out.line(
                1,
                format!("{}\t{number}\t{}", or(text(port, &["name"]), "<unset>"), text(port, &["protocol"])),
            );
        }
    }
    let endpoints = list(object, &["endpoints"]);
    if endpoints.is_empty() {
        out.line(0, "Endpoints: <none>");
        return;
    }
    out.line(0, "Endpoints:");
    for endpoint in endpoints {
        let addresses = words(at(endpoint, &["addresses"])).join(", ");
        out.line(1, format!("- Addresses:\t{}", or(&addresses, "<none>")));
        out.line(2, "Conditions:");
        let ready = at(endpoint, &["conditions", "ready"]).as_bool();
        out.line(3, format!("Ready:\t{}", ready.map_or("<unset>".to_owned(), |r| r.to_string())));
        out.line(2, format!("Hostname:\t{}", or(text(endpoint, &["hostname"]), "<unset>")));
        let target = at(endpoint, &["targetRef"]);
        if target.is_object() {
            out.line(2, format!("TargetRef:\t{}/{}", text(target, &["kind"]), text(target, &["name"])));
        }
        out.line(2, format!("NodeName:\t{}", or(text(endpoint, &["nodeName"]), "<unset>")));
        out.line(2, format!("Zone:\t{}", or(text(endpoint, &["zone"]), "<unset>")));
    }
}

fn backend(cx: &mut Cx<'_>, scope: &str, backend: &Value) -> String {
    let service = at(backend, &["service"]);
    if service.is_object() {
        let own = text(service, &["name"]);
        let port = match int(service, &["port", "number"]) {
            0 => text(service, &["port", "name"]).to_owned(),
            number => number.to_string(),
        };
        return match cx.get(&kinds::SERVICE, scope, own) {
            Ok(found) => {
                let name = list(&found, &["spec", "ports"])
                    .iter()
                    .find(|p| int(p, &["port"]).to_string() == port || text(p, &["name"]) == port)
                    .map_or("", |p| text(p, &["name"]))
                    .to_owned();
                let slices = slices(cx, &found);
                let endpoints = endpoints_of(&slices, &name);
                let endpoints = if endpoints == "<none>" { String::new() } else { endpoints };
                format!("{own}:{port} ({endpoints})")
            }
            Err(error) => format!("{own}:{port} (<error: {}>)", error.text()),
        };
    }
    let resource = at(backend, &["resource"]);
    format!(
        "APIGroup: {}, Kind: {}, Name: {}",
        or(text(resource, &["apiGroup"]), "<none>"),
        text(resource, &["kind"]),
        text(resource, &["name"])
    )
}

pub(super) fn ingress(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    let scope = namespace(object);
    out.line(0, format!("Name:\t{}", name(object)));
    out.labels("Labels", at(object, &["metadata", "labels"]));
    out.line(0, format!("Namespace:\t{scope}"));
    let points: Vec<&str> = list(status, &["loadBalancer", "ingress"])
        .iter()
        .map(|p| if text(p, &["ip"]).is_empty() { text(p, &["hostname"]) } else { text(p, &["ip"]) })
        .collect();
    out.line(0, format!("Address:\t{}", points.join(",")));
    out.line(0, format!("Ingress Class:\t{}", or(text(spec, &["ingressClassName"]), "<none>")));
    let default = at(spec, &["defaultBackend"]);
    let shown = if default.is_object() { backend(cx, scope, default) } else { "<default>".to_owned() };
    out.line(0, format!("Default backend:\t{shown}"));
    let tls = list(spec, &["tls"]);
    if !tls.is_empty() {
        out.line(0, "TLS:");
        for entry in tls {
            let hosts = words(at(entry, &["hosts"])).join(",");
            match text(entry, &["secretName"]) {
                "" => out.line(1, format!("SNI routes {hosts}")),
                secret => out.line(1, format!("{secret} terminates {hosts}")),
            }
        }
    }
    out.line(0, "Rules:");
    out.line(1, "Host\tPath\tBackends");
    out.line(1, "----\t----\t--------");
    let mut count = 0;
    for rule in list(spec, &["rules"]) {
        if !at(rule, &["http"]).is_object() {
            continue;
        }
        count += 1;
        out.line(1, format!("{}\t", or(text(rule, &["host"]), "*")));
        for path in list(rule, &["http", "paths"]) {
            let shown = backend(cx, scope, at(path, &["backend"]));
            out.line(2, format!("\t{} \t{shown}", text(path, &["path"])));
        }
    }
    if count == 0 {
        out.line(1, format!("*\t*\t{shown}"));
    }
    out.annotations("Annotations", at(object, &["metadata", "annotations"]));
    Ok(())
}

pub(super) fn ingress_class(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.marks(object);
    let spec = at(object, &["spec"]);
    out.line(0, format!("Controller:\t{}", text(spec, &["controller"])));
    let parameters = at(spec, &["parameters"]);
    if parameters.is_object() {
        out.line(0, "Parameters:");
        if !text(parameters, &["apiGroup"]).is_empty() {
            out.line(1, format!("APIGroup:\t{}", text(parameters, &["apiGroup"])));
        }
        out.line(1, format!("Kind:\t{}", text(parameters, &["kind"])));
        out.line(1, format!("Name:\t{}", text(parameters, &["name"])));
    }
}

fn peers(out: &mut Out, rule: &Value, ports_title: &str, peers_field: &str, word: &str) {
    let ports = list(rule, &["ports"]);
    if ports.is_empty() {
        out.line(2, format!("{ports_title}: <any> (traffic allowed to all ports)"));
    }
    for port in ports {
        let mut shown = plain(at(port, &["port"]));
        if shown.is_empty() {
            shown = "<any>".to_owned();
        }
        if at(port, &["endPort"]).is_number() {
            shown = format!("{shown}-{}", int(port, &["endPort"]));
        }
        out.line(2, format!("{ports_title}: {shown}/{}", or(text(port, &["protocol"]), "TCP")));
    }
    let all = list(rule, &[peers_field]);
    if all.is_empty() {
        let note = if peers_field == "from" {
            "traffic not restricted by source"
        } else {
            "traffic not restricted by destination"
        };
        out.line(2, format!("{word}: <any> ({note})"));
    }
    for peer in all {
        out.line(2, format!("{word}:"));
        if at(peer, &["namespaceSelector"]).is_object() {
            out.line(3, format!("NamespaceSelector: {}", selector(at(peer, &["namespaceSelector"]))));
        }
        if at(peer, &["podSelector"]).is_object() {
            out.line(3, format!("PodSelector: {}", selector(at(peer, &["podSelector"]))));
        }
        let block = at(peer, &["ipBlock"]);
        if block.is_object() {
            out.line(3, "IPBlock:");
            out.line(4, format!("CIDR: {}", text(block, &["cidr"])));
            out.line(4, format!("Except: {}", words(at(block, &["except"])).join(", ")));
        }
    }
}

fn rules(out: &mut Out, spec: &Value, field: &str) {
    let ingress = field == "ingress";
    let all = list(spec, &[field]);
    if all.is_empty() {
        out.line(2, format!("<none> (Selected pods are isolated for {field} connectivity)"));
    }
    for (i, rule) in all.iter().enumerate() {
        if ingress {
            peers(out, rule, "To Port", "from", "From");
        } else {
            peers(out, rule, "To Port", "to", "To");
        }
        if i + 1 < all.len() {
            out.line(2, "----------");
        }
    }
}

pub(super) fn network_policy(out: &mut Out, object: &Value) {
    let spec = at(object, &["spec"]);
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    let created =
        text(object, &["metadata", "creationTimestamp"]).replace('T', " ").replace('Z', " +0000 UTC");
    out.line(0, format!("Created on:\t{created}"));
    out.marks(object);
    out.line(0, "Spec:");
    let types = words(at(spec, &["policyTypes"]));
    let chosen = at(spec, &["podSelector"]);
    let shown = selector(chosen);
    if shown == "<none>" {
        out.line(1, "PodSelector:     <none> (Allowing the specific traffic to all pods in this namespace)");
    } else {
        out.line(1, format!("PodSelector:     {shown}"));
    }
    for (kind, field) in [("Ingress", "ingress"), ("Egress", "egress")] {
        if types.contains(&kind) {
            out.line(1, format!("Allowing {field} traffic:"));
            rules(out, spec, field);
        } else {
            out.line(1, format!("Not affecting {field} traffic"));
        }
    }
    out.line(1, format!("Policy Types: {}", types.join(", ")));
}
