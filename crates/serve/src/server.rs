//! The listener: connections on loopback, one task each.

use crate::handlers::{self, App};
use crate::host::Host;
use crate::options::Options;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Builds the cluster and listens on loopback.
    ///
    /// # Errors
    /// The port is taken, or the system gives no thread.
    pub async fn start(options: &Options) -> std::io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let scheduler = options.scheduler.as_ref().map(|scheduler| scheduler.value.clone());
        let host = Host::start(options.settings.clone(), options.pace, scheduler).await?;
        let app = Arc::new(App { host, rendered: Arc::default(), address });
        let accepting = tokio::spawn(accept(listener, app));
        Ok(Server { address, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, app: Arc<App>) {
    loop {
        // Too many open files pass; the next connection may be taken again.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let app = app.clone();
                async move { Ok::<_, Infallible>(handlers::handle(app, request).await) }
            });
            // A client that breaks off is its own business.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
    }
}
