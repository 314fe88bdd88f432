//! Images: which names a registry holds, and what each of them runs.
//!
//! Anyone who wants another image adds a line to [`catalogue`].

mod catalogue;
mod reference;

pub use catalogue::{Image, Server, Userland, find};
pub use reference::{Reference, parse};

use super::{ImageStatus, PullOutcome};
use podlab_sim::{SimDuration, splitmix64};
use std::sync::Arc;

/// How a pull ends that the registry refuses.
const REFUSED: SimDuration = SimDuration::from_millis(1100);
/// How a pull ends whose tag does not exist.
const NO_TAG: SimDuration = SimDuration::from_millis(900);
/// How a pull ends whose registry has no address.
const NO_HOST: SimDuration = SimDuration::from_millis(300);
/// Pulling what the node has already.
pub const PRESENT: SimDuration = SimDuration::from_millis(500);
/// The shortest pull of something new.
const NEW: SimDuration = SimDuration::from_millis(1500);
/// Bytes a second beyond the first 200 MB, so that a big image is felt.
const BANDWIDTH: u64 = 60_000_000;

/// What pulling `image` comes to on a node that does not have it.
pub fn pull(image: &str) -> PullOutcome {
    let reference = match parse(image) {
        Ok(reference) => reference,
        Err(text) => return PullOutcome { takes: SimDuration::ZERO, result: Err(text) },
    };
    let full = reference.to_string();
    let resolve = format!("failed to pull and unpack image {full:?}: failed to resolve reference {full:?}: ");
    if reference.has_no_host() {
        let url = format!("https://{}/v2/{}/manifests/{}", reference.registry, reference.path, reference.tag);
        let text = format!(
            "{resolve}failed to do request: Head {url:?}: dial tcp: lookup {}: no such host",
            reference.registry
        );
        return PullOutcome { takes: NO_HOST, result: Err(text) };
    }
    let Some(found) = find(&reference) else {
        let text = format!(
            "{resolve}pull access denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed"
        );
        return PullOutcome { takes: REFUSED, result: Err(text) };
    };
    if !found.has_tag(&reference.tag) {
        let text = format!("rpc error: code = NotFound desc = {resolve}{full}: not found");
        return PullOutcome { takes: NO_TAG, result: Err(text) };
    }
    let takes = NEW + SimDuration::from_millis(found.size.saturating_sub(200_000_000) * 1000 / BANDWIDTH);
    PullOutcome { takes, result: Ok(Arc::new(status(&reference, &found))) }
}

/// What an image name stands for.
#[derive(Debug)]
pub struct Resolved {
    /// The complete name.
    pub full: String,
    /// The same in its parts.
    pub reference: Reference,
    /// The image; `None` where no registry could hold it.
    pub image: Option<Image>,
    /// What a node knows of it once it is there.
    pub status: Option<Arc<ImageStatus>>,
}

impl Resolved {
    /// Reads a name and looks it up.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn new(image: &str) -> Result<Resolved, String> {
        let reference = parse(image)?;
        let image = find(&reference);
        let status = image.as_ref().map(|image| Arc::new(status(&reference, image)));
        Ok(Resolved { full: reference.to_string(), reference, image, status })
    }
}

/// What a node knows of an image that it has.
pub fn status(reference: &Reference, image: &Image) -> ImageStatus {
    let key = reference.to_string();
    ImageStatus {
        image_ref: format!("{}/{}@sha256:{}", reference.registry, reference.path, digest(&key)),
        size: image.size,
        uid: image.uid,
        username: image.username.map(str::to_owned),
    }
}

/// 64 hexadecimal digits that stand for the content of `key`; no real hash is wanted, only one that is
/// always the same.
pub fn digest(key: &str) -> String {
    let mut state = 0x706f_646c_6162u64;
    for byte in key.bytes() {
        state = splitmix64(state ^ u64::from(byte));
    }
    (0..4).map(|i| format!("{:016x}", splitmix64(state ^ i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(image: &str) -> String {
        pull(image).result.unwrap_err()
    }

    #[test]
    fn a_tag_that_does_not_exist_is_not_found() {
        assert_eq!(
            error("nginx:nope"),
            "rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx:nope\": \
             failed to resolve reference \"docker.io/library/nginx:nope\": docker.io/library/nginx:nope: not found"
        );
        assert!(error("nginx:1.9999").contains("not found"));
        assert!(pull("nginx:1.27").result.is_ok());
        assert!(pull("nginx").result.is_ok());
    }

    #[test]
    fn a_misspelt_official_image_does_not_exist() {
        assert!(error("ngnix").contains("pull access denied"));
        assert!(error("busyboxx:1.28").contains("pull access denied"));
        assert!(pull("somebody/web:2").result.is_ok());
    }

    #[test]
    fn a_registry_without_an_address_is_not_reached() {
        assert!(
            error("registry.invalid/team/app:v2").contains("dial tcp: lookup registry.invalid: no such host")
        );
    }
}
