//! ClusterIPs and node ports.
//!
//! Source: pkg/registry/core/service/ipallocator and portallocator (v1.37): the ranges are those of
//! `--service-cluster-ip-range 10.96.0.0/16` and `--service-node-port-range 30000-32767`.

use super::ApiServer;

pub(super) const NODE_PORTS: std::ops::RangeInclusive<u16> = 30000..=32767;

/// How the addresses of Services begin.
pub(crate) const CLUSTER_IPS: &str = "10.96.";

impl ApiServer {
    /// A free ClusterIP, marked as taken; `None` when all are.
    pub(crate) fn allocate_cluster_ip(&mut self) -> Option<String> {
        let mut draw = self.draw("clusterip");
        // The lower part of the range is kept for addresses that people choose themselves.
        let start = 256 + draw.below(65_000) as u16;
        let free = (start..65_534).chain(256..start).find(|ip| !self.cluster_ips.contains(ip))?;
        self.cluster_ips.insert(free);
        Some(format!("{CLUSTER_IPS}{}.{}", free >> 8, free & 0xff))
    }

    /// Marks a chosen ClusterIP as taken; `false` where it is out of range or taken.
    pub(crate) fn reserve_cluster_ip(&mut self, ip: &str) -> bool {
        cluster_ip_index(ip).is_some_and(|index| self.cluster_ips.insert(index))
    }

    /// Gives a ClusterIP back.
    pub(crate) fn release_cluster_ip(&mut self, ip: &str) {
        if let Some(index) = cluster_ip_index(ip) {
            self.cluster_ips.remove(&index);
        }
    }

    /// A free node port, marked as taken; `None` when all are.
    pub(crate) fn allocate_node_port(&mut self) -> Option<u16> {
        let mut draw = self.draw("nodeport");
        let start = 30000 + draw.below(2768) as u16;
        let free = (start..=32767).chain(30000..start).find(|port| !self.node_ports.contains(port))?;
        self.node_ports.insert(free);
        Some(free)
    }

    /// Marks a chosen node port as taken; `false` where it is out of range or taken.
    pub(crate) fn reserve_node_port(&mut self, port: u16) -> bool {
        NODE_PORTS.contains(&port) && self.node_ports.insert(port)
    }

    /// Gives a node port back.
    pub(crate) fn release_node_port(&mut self, port: u16) {
        self.node_ports.remove(&port);
    }
}

fn cluster_ip_index(ip: &str) -> Option<u16> {
    let (a, b) = ip.strip_prefix(CLUSTER_IPS)?.split_once('.')?;
    Some((a.parse::<u8>().ok()? as u16) << 8 | b.parse::<u8>().ok()? as u16)
}
