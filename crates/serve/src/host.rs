//! The thread in which the cluster lives.
//!
//! It feeds the cluster time and carries out jobs one after the other, so that the cluster itself needs neither a clock nor
//! a lock. Long stretches of work are cut after a few milliseconds: no request waits longer for its turn.

use crate::pace::{Clock, Pace};
use podlab_cluster::cluster::Act;
use podlab_cluster::{Cluster, Settings};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How long the cluster works before it looks for jobs.
const TURN: Duration = Duration::from_millis(4);

type Work = Box<dyn FnOnce(&mut Cluster) + Send>;

/// What an HTTP task wants done.
struct Job {
    work: Work,
    /// Whether it may change something, rather than only looks.
    acts: bool,
}

/// A handle to the cluster's thread. The thread ends when the last handle goes.
#[derive(Clone)]
pub(crate) struct Host {
    jobs: Sender<Job>,
    changes: watch::Receiver<u64>,
}

impl Host {
    /// Builds a cluster in a thread of its own; answers once it is up.
    ///
    /// `scheduler` is a KubeSchedulerConfiguration, where its scheduler has one.
    pub(crate) async fn start(
        settings: Settings,
        pace: Pace,
        scheduler: Option<serde_json::Value>,
    ) -> std::io::Result<Host> {
        let (jobs, inbox) = channel();
        let (told, changes) = watch::channel(0);
        let (up, is_up) = oneshot::channel();
        std::thread::Builder::new().name("cluster".to_owned()).spawn(move || {
            let mut cluster = Cluster::forgetful(settings);
            if let Some(configuration) = scheduler {
                cluster.act(Act::ConfigureScheduler(configuration));
            }
            let _ = up.send(());
            run(cluster, pace, &inbox, &told);
        })?;
        let _ = is_up.await;
        Ok(Host { jobs, changes })
    }

    /// Does something that may change the cluster; `None` where it has stopped.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Cluster) -> T + Send + 'static,
    ) -> Option<T> {
        self.send(work, true).await
    }

    /// Looks at the cluster without changing it; `None` where it has stopped.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Cluster) -> T + Send + 'static,
    ) -> Option<T> {
        self.send(work, false).await
    }

    async fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Cluster) -> T + Send + 'static,
        acts: bool,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(move |cluster: &mut Cluster| {
            let _ = answer.send(work(cluster));
        });
        self.jobs.send(Job { work, acts }).ok()?;
        answered.await.ok()
    }

    /// Tells whenever something may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }
}

fn run(mut cluster: Cluster, pace: Pace, inbox: &Receiver<Job>, told: &watch::Sender<u64>) {
    let mut clock = Clock::new(pace, cluster.sim_now());
    loop {
        let before = cluster.sim_now();
        let planned = cluster.world().agenda.next_at().is_some_and(|at| at <= clock.now());
        let turn = Instant::now();
        if !cluster.run_until(clock.now(), || turn.elapsed() < TURN) {
            clock.set(cluster.sim_now());
        }
        if planned && cluster.sim_now() > before {
            told.send_modify(|count| *count += 1);
        }
        let next = cluster.world().agenda.next_at();
        let wait = match next {
            Some(at) if clock.jump(at) => Duration::ZERO,
            Some(at) => clock.until(at),
            None => Duration::from_secs(3600),
        };
        match inbox.recv_timeout(wait) {
            Ok(job) => {
                cluster.run_until(clock.now(), || turn.elapsed() < TURN);
                (job.work)(&mut cluster);
                if job.acts {
                    clock.acted(cluster.sim_now());
                    told.send_modify(|count| *count += 1);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some(at) = next.filter(|at| clock.jump(*at)) {
                    cluster.run_until(at, || turn.elapsed() < TURN);
                    clock.set(cluster.sim_now());
                    told.send_modify(|count| *count += 1);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
