//! The controllers, one file each, under Kubernetes' own names.
//!
//! Each is plain data with `observe` (sees a change, plans) and `handle` (acts). A new one needs its file, a
//! field in [`Controllers`] and a variant in [`ControllerEvent`].

mod garbage_collector;
mod namespace;
mod resource_quota;
mod root_ca_cert_publisher;
mod service_account;

use crate::observe::{Upcoming, UpcomingKind};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_sim::SimTime;

/// What a controller plans.
#[derive(Clone, Debug)]
pub enum ControllerEvent {
    /// The namespace controller looks at a namespace that is going.
    Namespace(String),
    /// The garbage collector looks at the dependents of an owner that is gone, by its uid.
    OwnerGone(String),
    /// The garbage collector looks at an object that waits for its dependents.
    Foreground(garbage_collector::ObjectKey),
    /// The quota controller reckons a quota.
    ResourceQuota(Key),
}

/// The state of all controllers.
#[derive(Clone, Debug, Default)]
pub struct Controllers {
    namespace: namespace::NamespaceController,
    garbage_collector: garbage_collector::GarbageCollector,
    resource_quota: resource_quota::ResourceQuotaController,
}

impl Controllers {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: ControllerEvent, cx: &mut Cx<'_>) {
        match event {
            ControllerEvent::Namespace(name) => self.namespace.sync(&name, cx),
            ControllerEvent::OwnerGone(uid) => self.garbage_collector.owner_gone(&uid, cx),
            ControllerEvent::Foreground(key) => self.garbage_collector.foreground(&key, cx),
            ControllerEvent::ResourceQuota(key) => self.resource_quota.sync(&key, cx),
        }
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        service_account::observe(change, cx);
        root_ca_cert_publisher::observe(change, cx);
        self.namespace.observe(change, cx);
        self.garbage_collector.observe(change, cx);
        self.resource_quota.observe(change, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &ControllerEvent) -> Option<Upcoming> {
        match event {
            ControllerEvent::Namespace(name) => Some(Upcoming {
                at,
                kind: "Namespace",
                namespace: String::new(),
                name: name.clone(),
                what: UpcomingKind::Controller { controller: namespace::NAME },
            }),
            ControllerEvent::OwnerGone(_)
            | ControllerEvent::Foreground(_)
            | ControllerEvent::ResourceQuota(_) => None,
        }
    }
}
