//! Who answers for a Service, who does not, and why.

use super::service::{ServiceView, port_text, service_view};
use crate::state::selector_lab::{Selection, select};
use podlab_api::Object;
use podlab_api::kinds::{ENDPOINT_SLICE, POD};
use podlab_cluster::store::Store;
use serde_json::Value;
use std::collections::BTreeSet;

/// One port of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct PortLine {
    /// Its name; empty for the only one without.
    pub name: String,
    /// The Service's own port.
    pub port: String,
    /// The pods' port, a number or a container port's name.
    pub target: String,
    /// `TCP`.
    pub protocol: String,
    /// The port of each node, where it has one.
    pub node_port: Option<i64>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The pod behind it; `None` for an address that somebody wrote down.
    pub pod: Option<String>,
    /// The pod's uid.
    pub uid: String,
    /// `10.244.1.5:8080`, with all its ports, or without one where it has none.
    pub addresses: Vec<String>,
    /// Whether it gets traffic.
    pub ready: bool,
    /// Why it does not, in the words of the pod's condition `Ready`.
    pub why: String,
    /// Target ports that no container of the pod declares.
    pub undeclared: Vec<String>,
}

/// What is known of a Service.
#[derive(Clone, Debug)]
pub struct ServiceMap {
    /// Its line.
    pub view: ServiceView,
    /// Its ports.
    pub ports: Vec<PortLine>,
    /// Who is behind it: those that get traffic first.
    pub endpoints: Vec<Endpoint>,
    /// What its selector selects in its namespace; `None` without a selector.
    pub selection: Option<Selection>,
    /// The name that DNS answers for.
    pub dns: String,
    /// The selector as text, as `kubectl get pods -l` takes it.
    pub selector: String,
}

fn ports(object: &Object) -> Vec<PortLine> {
    let ports = object.field("spec").and_then(|s| s.get("ports")).and_then(Value::as_array);
    let text =
        |port: &Value, name: &str| port.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    ports
        .into_iter()
        .flatten()
        .map(|port| PortLine {
            name: text(port, "name"),
            port: port_text(port.get("port")),
            target: port_text(port.get("targetPort")),
            protocol: text(port, "protocol"),
            node_port: port.get("nodePort").and_then(Value::as_i64),
        })
        .collect()
}

/// Why a pod gets no traffic.
fn why_not(pod: &Object) -> String {
    if pod.is_terminating() {
        return "Terminating".to_owned();
    }
    let conditions = pod.pod_status().into_iter().flat_map(|s| s.conditions.iter().flatten());
    let ready = conditions.into_iter().find(|c| c.type_ == "Ready" && c.status != "True");
    let words = ready.map(|c| [c.reason.clone(), c.message.clone()]);
    let words: Vec<String> = words.into_iter().flatten().flatten().filter(|w| !w.is_empty()).collect();
    words.join(": ")
}

/// The target ports that no container of a pod declares. A container may listen where it declares nothing, but a name must be
/// declared.
fn undeclared(pod: &Object, ports: &[PortLine]) -> Vec<String> {
    let containers = pod.pod_spec().into_iter().flat_map(|s| s.containers.iter());
    let declared: Vec<(String, String)> = containers
        .flat_map(|c| c.ports.iter().flatten())
        .map(|p| (p.container_port.to_string(), p.name.clone().unwrap_or_default()))
        .collect();
    let is_name = |port: &str| port.parse::<u16>().is_err();
    ports
        .iter()
        .filter(|p| !p.target.is_empty())
        // Who declares no port at all says nothing about numbers.
        .filter(|p| is_name(&p.target) || !declared.is_empty())
        .filter(|p| !declared.iter().any(|(number, name)| *number == p.target || *name == p.target))
        .map(|p| p.target.clone())
        .collect()
}

impl ServiceMap {
    /// Of a Service in a store.
    pub fn of(store: &Store, object: &Object) -> ServiceMap {
        let view = service_view(object);
        let (namespace, name) = (object.namespace(), object.name());
        let ports = ports(object);
        let selector = object.field("spec").and_then(|s| s.get("selector")).and_then(Value::as_object);
        let pairs = selector.into_iter().flatten();
        let selector: Vec<String> =
            pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        let selector = selector.join(",");
        let selection = view.selects.then(|| select(&selector, "", store.list_namespace(&POD, namespace)));
        let mut endpoints = Vec::new();
        let mut met: BTreeSet<String> = BTreeSet::new();
        let slices = store.list_namespace(&ENDPOINT_SLICE, namespace);
        for slice in slices.filter(|s| s.label("kubernetes.io/service-name") == Some(name)) {
            let numbers = slice.field("ports").and_then(Value::as_array).into_iter().flatten();
            let mut numbers: Vec<String> = numbers.map(|p| port_text(p.get("port"))).collect();
            // The same number of UDP and TCP.
            numbers.sort();
            numbers.dedup();
            for endpoint in slice.field("endpoints").and_then(Value::as_array).into_iter().flatten() {
                let endpoint = endpoint_of(endpoint, &numbers, &ports, store, namespace);
                // A Service of two address families has two slices with the same pods.
                if endpoint.uid.is_empty() || met.insert(endpoint.uid.clone()) {
                    endpoints.push(endpoint);
                }
            }
        }
        endpoints.sort_by(|a, b| (!a.ready, &a.pod).cmp(&(!b.ready, &b.pod)));
        let dns = format!("{name}.{namespace}.svc.cluster.local");
        ServiceMap { view, ports, endpoints, selection, dns, selector }
    }

    /// Whether it has a port that the line of [`ServiceMap::test`] can ask.
    pub fn can_be_tested(&self) -> bool {
        self.ports.iter().any(|p| p.protocol == "TCP")
    }

    /// The line that tests it from a pod of its own: words after `kubectl`.
    pub fn test(&self) -> Vec<String> {
        // wget speaks HTTP over TCP: the port that sounds like it, else the first that can.
        let tcp = || self.ports.iter().filter(|p| p.protocol == "TCP");
        let web = tcp().find(|p| p.port == "80" || p.name.starts_with("http"));
        let port = web.or_else(|| tcp().next()).map_or("80", |p| p.port.as_str());
        let port = if port == "80" { String::new() } else { format!(":{port}") };
        let mut words: Vec<String> = ["run", "tmp", "--rm", "-it", "--image=busybox:1.36", "--restart=Never"]
            .map(str::to_owned)
            .to_vec();
        if self.view.namespace != "default" {
            words.extend(["-n".to_owned(), self.view.namespace.clone()]);
        }
        words.extend(["--", "wget", "-qO-"].map(str::to_owned));
        words.push(format!("http://{}{port}", self.view.name));
        words
    }
}

fn endpoint_of(
    endpoint: &Value,
    numbers: &[String],
    ports: &[PortLine],
    store: &Store,
    namespace: &str,
) -> Endpoint {
    let addresses = endpoint.get("addresses").and_then(Value::as_array).into_iter().flatten();
    let ports_text = numbers.join(",");
    let addresses = addresses.filter_map(Value::as_str).map(|address| {
        if ports_text.is_empty() { address.to_owned() } else { format!("{address}:{ports_text}") }
    });
    let target = endpoint.get("targetRef").filter(|t| t.get("kind").and_then(Value::as_str) == Some("Pod"));
    let text =
        |name: &str| target.and_then(|t| t.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ready = endpoint.get("conditions").and_then(|c| c.get("ready")).and_then(Value::as_bool);
    let ready = ready.unwrap_or(true);
    let pod = target.and_then(|_| store.get(&POD, namespace, &text("name")));
    Endpoint {
        pod: target.map(|_| text("name")),
        uid: text("uid"),
        addresses: addresses.collect(),
        ready,
        why: pod.filter(|_| !ready).map(|pod| why_not(pod)).unwrap_or_default(),
        undeclared: pod.map(|pod| undeclared(pod, ports)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceMap;
    use crate::state::Lab;
    use podlab_api::kinds::SERVICE;
    use std::time::Duration;

    fn map(lab: &Lab, name: &str) -> ServiceMap {
        let store = lab.live().world().api.store();
        ServiceMap::of(store, store.get(&SERVICE, "default", name).unwrap())
    }

    fn pass(lab: &mut Lab) {
        lab.jump(lab.live().sim_now() + Duration::from_secs(40), &mut || true);
    }

    #[test]
    fn who_answers_is_told_with_address_and_port() {
        let mut lab = Lab::default();
        lab.enter("kubectl create deployment web --image=nginx --port=80 --replicas=2");
        lab.enter("kubectl expose deployment web --port=8080 --target-port=80");
        pass(&mut lab);
        let map = map(&lab, "web");
        assert_eq!(map.dns, "web.default.svc.cluster.local");
        assert_eq!(map.view.ports, ["8080→80/TCP"]);
        assert_eq!(map.endpoints.len(), 2);
        assert!(map.endpoints.iter().all(|e| e.ready && e.addresses[0].ends_with(":80")));
        assert!(map.endpoints.iter().all(|e| e.undeclared.is_empty()));
        assert_eq!(
            map.test().join(" "),
            "run tmp --rm -it --image=busybox:1.36 --restart=Never -- wget -qO- http://web:8080"
        );
        assert_eq!(map.selection.unwrap().count, 2);
    }

    #[test]
    fn a_line_that_tests_asks_a_port_that_may_speak_http() {
        let lab = Lab::default();
        let store = lab.live().world().api.store();
        let dns = ServiceMap::of(store, store.get(&SERVICE, "kube-system", "kube-dns").unwrap());
        assert_eq!(dns.test().last().unwrap(), "http://kube-dns:53");
        assert!(dns.endpoints[0].addresses[0].ends_with(":53,9153"), "{:?}", dns.endpoints);
        let mut dns = dns;
        dns.ports.retain(|p| p.protocol == "UDP");
        assert!(!dns.can_be_tested());
    }

    #[test]
    fn a_pod_that_is_not_ready_says_why_and_a_wrong_port_is_named() {
        let mut lab = Lab::default();
        lab.edit("apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec:\n  containers:\n  - name: c\n    image: nginx\n    ports: [{containerPort: 80}]\n    readinessProbe: {exec: {command: [cat, /tmp/no]}, periodSeconds: 1}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n");
        assert!(lab.apply().ok());
        pass(&mut lab);
        let map = map(&lab, "web");
        let [endpoint] = map.endpoints.as_slice() else { panic!("{:?}", map.endpoints) };
        assert!(!endpoint.ready);
        assert_eq!(endpoint.why, "ContainersNotReady: containers with unready status: [c]");
        assert_eq!(endpoint.undeclared, ["8080"]);
    }

    #[test]
    fn a_selector_that_selects_nothing_names_the_requirement() {
        let mut lab = Lab::default();
        lab.enter("kubectl run web --image=nginx --labels=app=web,tier=front");
        lab.edit("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web, tier: back}, ports: [{port: 80}]}\n");
        assert!(lab.apply().ok());
        pass(&mut lab);
        let map = map(&lab, "web");
        assert!(map.endpoints.is_empty());
        let selection = map.selection.unwrap();
        assert_eq!((selection.all, selection.count), (1, 0));
        let counts: Vec<(&str, usize, usize)> =
            selection.steps.iter().map(|s| (s.text.as_str(), s.alone, s.left)).collect();
        assert_eq!(counts, [("app=web", 1, 1), ("tier=back", 0, 0)]);
        assert_eq!(selection.misses[0].step, Some(1));
    }
}
