//! What a container sees of the world outside: the clock, its volumes, the network.

use super::cri::ContainerId;
use super::network::Forwarded;
use super::network_policy::{self, Connection};
use super::{Runtime, dns, network, servers};
use crate::apiserver::ApiServer;
use crate::latency;
use podlab_shell::{
    DnsAnswer, DnsReply, DnsType, Host, HttpRequest, HttpResponse, NetError, Program, Stream, Volume, Volumes,
};
use podlab_sim::{Draw, SimDuration, SimTime};

/// Requests from server to server go at most so deep.
const DEPTH: u32 = 8;

/// Where name servers listen.
const DNS_PORT: u16 = 53;

/// What a process wrote: container, sink, stream, bytes.
pub(super) type Written = (ContainerId, u32, Stream, Vec<u8>);

/// The world as one container sees it.
pub(crate) struct ContainerHost<'a> {
    pub(super) runtime: &'a mut Runtime,
    pub(super) api: &'a ApiServer,
    id: ContainerId,
    now: SimTime,
    seed: u64,
    pub(super) depth: u32,
    written: Vec<Written>,
}

impl<'a> ContainerHost<'a> {
    pub(super) fn new(
        runtime: &'a mut Runtime,
        id: &ContainerId,
        api: &'a ApiServer,
        now: SimTime,
        seed: u64,
        depth: u32,
    ) -> ContainerHost<'a> {
        ContainerHost { runtime, api, id: id.clone(), now, seed, depth, written: Vec::new() }
    }

    /// What was written: container, sink, stream, bytes.
    pub(super) fn finish(self) -> Vec<Written> {
        self.written
    }

    /// Hands a request to the server at an address.
    pub(super) fn serve(
        &mut self,
        address: &str,
        port: u16,
        request: &HttpRequest,
    ) -> Result<HttpResponse, NetError> {
        if self.depth >= DEPTH {
            return Err(NetError::NoAnswer);
        }
        let Some(target) = self.runtime.listener(address, port)? else {
            return Err(self.refused(address, port));
        };
        let container = self.runtime.containers.get_mut(&target);
        let now = self.now;
        let Some(mut machine) = container.and_then(|container| {
            container.mark_cpu(now);
            container.machine.take()
        }) else {
            // A server that asks itself while it answers.
            return Err(NetError::NoAnswer);
        };
        let mut inner =
            ContainerHost::new(self.runtime, &target, self.api, self.now, self.seed, self.depth + 1);
        let answer = machine.serve(&mut inner, port, request);
        let written = inner.finish();
        self.written.extend(written);
        if let Some(container) = self.runtime.containers.get_mut(&target) {
            container.machine = Some(machine);
        }
        answer.ok_or(NetError::Reset)
    }

    fn namespace(&self) -> &str {
        let container = self.runtime.containers.get(&self.id);
        container
            .and_then(|c| self.runtime.sandboxes.get(&c.sandbox))
            .map_or("default", |s| &s.config.namespace)
    }
}

impl Volumes for ContainerHost<'_> {
    fn volume(&self, id: &str) -> Option<&Volume> {
        self.runtime.volumes.get(id)
    }

    fn volume_mut(&mut self, id: &str) -> Option<&mut Volume> {
        self.runtime.volumes.get_mut(id)
    }
}

impl Host for ContainerHost<'_> {
    fn now(&self) -> SimTime {
        self.now
    }

    fn output(&mut self, id: u32, stream: Stream, bytes: &[u8]) {
        self.written.push((self.id.clone(), id, stream, bytes.to_vec()));
    }

    fn hostname(&self) -> String {
        let container = self.runtime.containers.get(&self.id);
        container
            .and_then(|c| self.runtime.sandboxes.get(&c.sandbox))
            .map(|s| s.config.kernel_hostname())
            .unwrap_or_default()
    }

    fn program(&mut self, name: &str, argv: &[String]) -> Option<Box<dyn Program>> {
        let image = self.runtime.containers.get(&self.id)?.image.clone();
        servers::program(&image, name, argv)
    }

    fn http(&mut self, request: &HttpRequest) -> Result<HttpResponse, NetError> {
        let (address, port) = self.route(&request.host, request.port, false)?;
        self.let_through(&address, port, false)?;
        if request.scheme == "https" {
            return Err(NetError::Tls);
        }
        // A server that listens on several ports wants to know which one of its own was asked, and who asks.
        let request = HttpRequest { port, client: self.own_address(), ..request.clone() };
        self.serve(&address, port, &request)
    }

    fn connect(&mut self, host: &str, port: u16, udp: bool) -> Result<(), NetError> {
        let (address, port) = self.route(host, port, udp)?;
        self.let_through(&address, port, udp)?;
        match self.runtime.listener(&address, port)? {
            Some(_) => Ok(()),
            None if udp => Ok(()),
            None => Err(self.refused(&address, port)),
        }
    }

    fn ping(&mut self, address: &str) -> Result<SimDuration, NetError> {
        let (address, _) = self.route(address, 0, false)?;
        match self.runtime.is_address(&address) {
            true => Ok(SimDuration::from_micros(90)),
            false => Err(NetError::NoAnswer),
        }
    }

    fn resolve(&mut self, name: &str) -> Result<DnsAnswer, NetError> {
        if !network::is_ip(name) {
            self.ask_dns()?;
        }
        dns::resolve(self.api, self.namespace(), name)
    }

    fn query(&mut self, name: &str, wanted: DnsType, search: bool) -> Result<DnsReply, NetError> {
        self.ask_dns()?;
        dns::query(self.api, self.namespace(), name, wanted, search)
    }

    fn own_address(&self) -> Option<String> {
        let container = self.runtime.containers.get(&self.id)?;
        self.runtime.sandboxes.get(&container.sandbox)?.ip.clone()
    }

    fn port_taken(&self, port: u16) -> bool {
        self.runtime.is_port_taken(&self.id, port)
    }

    fn boot_time(&self) -> SimTime {
        self.runtime
            .containers
            .get(&self.id)
            .and_then(|c| self.runtime.sandboxes.get(&c.sandbox))
            .map_or(SimTime::START, |s| s.created_at)
    }

    fn overhead(&self) -> SimDuration {
        let drawn = Draw::keyed(self.seed, "exec", &self.id, 0).unit();
        latency::EXEC + latency::EXEC.mul_f64(5.0 * drawn)
    }

    fn random(&mut self) -> u64 {
        self.runtime.drawn += 1;
        Draw::keyed(self.seed, "container", &self.id, self.runtime.drawn).next_u64()
    }
}

impl ContainerHost<'_> {
    /// Whether the NetworkPolicies let this container open a connection.
    fn let_through(&self, address: &str, port: u16, udp: bool) -> Result<(), NetError> {
        let container = self.runtime.containers.get(&self.id);
        let Some(sandbox) = container.and_then(|c| self.runtime.sandboxes.get(&c.sandbox)) else {
            return Ok(());
        };
        let own = sandbox.ip.as_deref().unwrap_or_default();
        let from = self.runtime.end_of(self.api, &sandbox.config, own);
        let to = self.runtime.end_at(self.api, address);
        match network_policy::allows(self.api, Connection { from: &from, to: &to, port, udp }) {
            true => Ok(()),
            false => Err(NetError::NoAnswer),
        }
    }

    /// Whether a name server can be reached: one of the endpoints of the Service at its address.
    ///
    /// Where there is no such Service (a cluster that was made without CoreDNS) names are answered all the same.
    fn ask_dns(&mut self) -> Result<(), NetError> {
        let server = self.name_server();
        if !network::is_service_address(self.api, &server) {
            return Ok(());
        }
        let (address, port) = self.route(&server, DNS_PORT, true).map_err(|_| NetError::NoAnswer)?;
        self.let_through(&address, port, true)
    }

    /// Nothing else listens there: the container's own machine may, which is being run now and looks itself.
    fn refused(&self, address: &str, port: u16) -> NetError {
        if self.own_address().as_deref() == Some(address) {
            NetError::Own(port)
        } else {
            NetError::ConnectionRefused
        }
    }

    /// From what a program asks for to an address and a port on it: localhost, names, Services.
    fn route(&mut self, host: &str, port: u16, udp: bool) -> Result<(String, u16), NetError> {
        if matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "::1") {
            let own = self.own_address().ok_or(NetError::Unreachable)?;
            let behind = network::host_port(self.api, &own, "127.0.0.1", port, udp);
            return Ok(behind.unwrap_or((own, port)));
        }
        let address = if network::is_ip(host) {
            host.to_owned()
        } else {
            // A name that nobody answers for is one that isn't found, to all but those who ask the name server itself.
            let answer = self.resolve(host).map_err(|_| NetError::NameNotFound)?;
            answer.addresses.into_iter().next().ok_or(NetError::NameNotFound)?
        };
        if let Some(behind) = network::host_port(self.api, &address, &address, port, udp) {
            return Ok(behind);
        }
        let (service, name, mut targets) = match network::forward(self.api, &address, port)? {
            Forwarded::Direct => return Ok((address, port)),
            Forwarded::Service(service, name, targets) => (service, name, targets),
        };
        self.runtime.drawn += 1;
        let mut draw = Draw::keyed(self.seed, "kube-proxy", &address, self.runtime.drawn);
        let count = u64::try_from(targets.len()).unwrap_or(1);
        let drawn = usize::try_from(draw.below(count)).unwrap_or(0);
        let client = self.own_address().unwrap_or_default();
        let affinity = &mut self.runtime.session_affinity;
        let chosen = affinity.choose(service, name, &client, self.now, &targets, drawn);
        Ok(targets.swap_remove(chosen))
    }
}
