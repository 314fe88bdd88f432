//! Getting images onto a node.
//!
//! Source: pkg/kubelet/images/image_manager.go, puller.go (v1.37).

use super::PodIx;
use super::image_name;
use super::pod_worker::{Env, PodWorker};
use super::{KubeletEvent, sync::StartError};
use crate::recorder::{EventType, InvolvedObject};
use k8s_openapi::api::core::v1::Container;
use podlab_sim::{SimDuration, SimTime};
use std::collections::VecDeque;
use std::sync::Arc;

/// The image that is there from now on, or the runtime's text.
pub(crate) type PullResult = Result<Arc<crate::runtime::ImageStatus>, String>;

/// A pull that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct PullRequest {
    pub pod: PodIx,
    pub image: String,
    /// When it was asked for.
    pub asked: SimTime,
    /// When it came first in the line.
    pub began: Option<SimTime>,
    result: Option<PullResult>,
}

/// Pulls of a node, one after the other (`serializeImagePulls`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Puller {
    pub queue: VecDeque<PullRequest>,
}

/// What came of the wish to have an image.
pub(crate) enum Ensured {
    /// It is there.
    Present,
    /// It is being pulled.
    Pulling,
    /// It is not to be had now.
    Failed(StartError),
}

/// Looks for the image and has it pulled where the policy says so.
pub(crate) fn ensure_image_exists(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    container: &Container,
    about: &InvolvedObject,
) -> Ensured {
    let now = env.cx.now();
    let name = container.image.as_deref().unwrap_or("");
    let event = |env: &mut Env<'_, '_>, kind, reason: &str, text: &str| {
        env.node.recorder.event(env.cx.api, about, kind, reason, text);
    };
    if let Err(why) = image_name::check(name) {
        let text =
            format!("Failed to apply default image tag {name:?}: couldn't parse image name {name:?}: {why}");
        event(env, EventType::Warning, "InspectFailed", &text);
        return Ensured::Failed(StartError::new("InvalidImageName", text));
    }
    let image = image_name::with_default_tag(name);
    let present = env.runtime.image_status(&env.node.name, &image).is_some();
    let policy = container.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
    let pull = policy == "Always" || policy == "IfNotPresent" && !present;
    if !pull {
        if present {
            let text =
                format!("Container image {name:?} already present on machine and can be accessed by the pod");
            event(env, EventType::Normal, "Pulled", &text);
            return Ensured::Present;
        }
        let text = format!("Container image {name:?} is not present with pull policy of Never");
        event(env, EventType::Warning, "ErrImageNeverPull", &text);
        return Ensured::Failed(StartError::new("ErrImageNeverPull", text));
    }
    if w.image_backoff.ends_since_update(&image, now).is_some() {
        let text = format!("Back-off pulling image {name:?}");
        event(env, EventType::Normal, "BackOff", &text);
        let text = match w.pull_errors.get(&image) {
            Some((reason, why)) => format!("{text}: {reason}: {why}"),
            None => text,
        };
        // The worker does not wait for the end of this back-off: it looks again as after any other error.
        return Ensured::Failed(StartError::new("ImagePullBackOff", text));
    }
    event(env, EventType::Normal, "Pulling", &format!("Pulling image {name:?}"));
    let request = PullRequest { pod: env.ix, image, asked: now, began: None, result: None };
    env.node.puller.queue.push_back(request);
    start_next(env);
    Ensured::Pulling
}

/// Begins the first pull in the line.
pub(crate) fn start_next(env: &mut Env<'_, '_>) {
    let now = env.cx.now();
    let Some(first) = env.node.puller.queue.front_mut() else { return };
    if first.began.is_some() {
        return;
    }
    first.began = Some(now);
    let outcome = env.runtime.pull_image(&env.node.name, &first.image);
    let name = first.image.rsplit_once(':').map_or(&*first.image, |(name, _)| name);
    let slow =
        env.cx.settings.slow_images.get(name).filter(|_| outcome.takes > crate::runtime::images::PRESENT);
    let takes = slow.map_or(outcome.takes, |seconds| SimDuration::from_secs(u64::from(*seconds)));
    first.result = Some(outcome.result);
    let pod = first.pod;
    env.cx.after(takes, KubeletEvent::PullFinished { pod }.into());
}

/// The first pull in the line is over: what it came to.
pub(crate) fn finish_first(env: &mut Env<'_, '_>) -> Option<(PullRequest, PullResult)> {
    let mut request = env.node.puller.queue.pop_front()?;
    let result = request.result.take()?;
    if result.is_ok() {
        let node = env.node.name.clone();
        env.runtime.finish_pull(&node, &request.image, env.cx);
    }
    Some((request, result))
}

/// Writes the events of a pull that is over; the error where it failed.
pub(crate) fn pulled(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    container: &Container,
    about: &InvolvedObject,
    request: &PullRequest,
    result: &PullResult,
) -> Result<(), StartError> {
    let now = env.cx.now();
    let name = container.image.as_deref().unwrap_or("");
    match result {
        Ok(image) => {
            let took = go_millis(now.since(request.began.unwrap_or(request.asked)));
            let waited = go_millis(now.since(request.asked));
            let text = format!(
                "Successfully pulled image {name:?} in {took} ({waited} including waiting). Image size: {} bytes.",
                image.size
            );
            env.node.recorder.event(env.cx.api, about, EventType::Normal, "Pulled", &text);
            w.image_backoff.gc(now);
            w.pull_errors.remove(&request.image);
            Ok(())
        }
        Err(why) => {
            let text = format!("Failed to pull image {name:?}: {why}");
            env.node.recorder.event(env.cx.api, about, EventType::Warning, "Failed", &text);
            w.image_backoff.next(&request.image, now, now);
            w.pull_errors.insert(request.image.clone(), ("ErrImagePull".to_owned(), why.clone()));
            Err(StartError::new("ErrImagePull", why.clone()))
        }
    }
}

/// A duration rounded to milliseconds as Go prints it.
pub(crate) fn go_millis(d: SimDuration) -> String {
    let millis = u64::try_from((d + SimDuration::from_micros(500)).as_millis()).unwrap_or(u64::MAX);
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let fraction =
        if rest == 0 { String::new() } else { format!(".{rest:03}").trim_end_matches('0').to_owned() };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}
