//! What keeps a pod from a node and what to do about it, in words.

use crate::i18n::remedy as texts;
use crate::state::Lang;
use crate::state::inspect::amount;
use crate::state::remedy::What;
use podlab_cluster::scheduler::fix::{ClaimWants, Fix, PODS_NAMED, Wish};

/// How many pods a sentence names.
const NAMED: usize = 3;

/// One sentence about all that is in the way on a node; empty where nothing is known.
pub(super) fn sentence<'a>(fixes: impl Iterator<Item = &'a Fix>, lang: Lang) -> String {
    let ways: Vec<String> = fixes.map(|fix| said(fix, lang)).collect();
    if ways.is_empty() {
        return String::new();
    }
    texts::TO_FIT.with(lang, &[("ways", &ways.join(texts::AND.get(lang)))])
}

/// The pods, the first few by name.
fn pods(names: &[String], count: usize, lang: Lang) -> String {
    let short = |name: &String| name.strip_prefix("default/").unwrap_or(name).to_owned();
    let named: Vec<String> = names.iter().take(NAMED).map(short).collect();
    let named = named.join(", ");
    let more = count.saturating_sub(NAMED.min(names.len()));
    if more == 0 {
        return named;
    }
    texts::SAY_MORE.with(lang, &[("pods", &named), ("count", &more.to_string())])
}

fn or_drop(mut said: String, wish: Wish, requirement: &str, lang: Lang) -> String {
    match wish {
        Wish::NodeSelector | Wish::NodeAffinity(_) => {
            said.push_str(&texts::OR_DROP.with(lang, &[("requirement", requirement)]));
        }
        Wish::Spread(_) | Wish::PodAffinity(_) => said.push_str(texts::OR_PREFER.get(lang)),
        Wish::Added | Wish::Volume | Wish::Several => {}
    }
    said
}

fn wanted(claim: &str, wants: &ClaimWants, text: crate::i18n::Text, lang: Lang) -> String {
    let class = if wants.class.is_empty() { "\"\"" } else { &wants.class };
    let modes = wants.access_modes.join(", ");
    text.with(lang, &[("claim", claim), ("class", class), ("storage", &wants.storage), ("modes", &modes)])
}

/// Both sides of a fix, as a part of a sentence.
fn said(fix: &Fix, lang: Lang) -> String {
    match fix {
        Fix::FreeResource { resource, free, allocatable, short_by, .. } => {
            let short = amount(resource, *short_by);
            if resource == "pods" {
                let used = (allocatable - free).to_string();
                return texts::SAY_PODS.with(lang, &[("used", &used), ("all", &allocatable.to_string())]);
            }
            let to = amount(resource, *free);
            let text = if *free > 0 { texts::SAY_FREE } else { texts::SAY_FREE_ONLY };
            text.with(lang, &[("resource", resource), ("short", &short), ("to", &to)])
        }
        Fix::LowerRequest { resource, free, allocatable, .. } => {
            let text = if *free > 0 { texts::SAY_LOWER } else { texts::SAY_NO_RESOURCE };
            let (to, all) = (amount(resource, *free), amount(resource, *allocatable));
            text.with(lang, &[("resource", resource), ("to", &to), ("all", &all)])
        }
        Fix::TolerateTaint { key, value, effect } => {
            let taint =
                if value.is_empty() { format!("{key}:{effect}") } else { format!("{key}={value}:{effect}") };
            texts::SAY_TOLERATE.with(lang, &[("taint", &taint)])
        }
        Fix::Uncordon => texts::SAY_UNCORDON.get(lang).to_owned(),
        Fix::LabelNode { key, value, current, requirement, wish } => {
            let label = format!("{key}={value}");
            let said = match current {
                None => texts::SAY_LABEL.with(lang, &[("label", &label)]),
                Some(now) => {
                    texts::SAY_RELABEL.with(lang, &[("label", &label), ("current", &format!("{key}={now}"))])
                }
            };
            or_drop(said, *wish, requirement, lang)
        }
        Fix::UnlabelNode { key, requirement, wish } => {
            or_drop(texts::SAY_UNLABEL.with(lang, &[("key", key)]), *wish, requirement, lang)
        }
        Fix::NameNode { wanted } if wanted.is_empty() => texts::SAY_NAME_NONE.get(lang).to_owned(),
        Fix::NameNode { wanted } => texts::SAY_NAME_NODE.with(lang, &[("wanted", &wanted.join(", "))]),
        Fix::ChangeNodeName { wanted } => texts::SAY_NODE_NAME.with(lang, &[("wanted", wanted)]),
        Fix::FreeHostPort { port, protocol, pods: held, other } => {
            let other = other.map_or_else(String::new, |o| o.to_string());
            let port = format!("{port}/{protocol}");
            let pods = pods(held, held.len(), lang);
            texts::SAY_PORT.with(lang, &[("port", &port), ("pods", &pods), ("other", &other)])
        }
        Fix::RemoveGate { name } => texts::SAY_GATE.with(lang, &[("name", name)]),
        Fix::NeedPod { selector, topology_key, domain, .. } => {
            let values = [("selector", selector.as_str()), ("key", topology_key), ("domain", domain)];
            texts::SAY_NEED_POD.with(lang, &values) + texts::OR_PREFER.get(lang)
        }
        Fix::AvoidPod { selector, topology_key, domain, pods: named, count, term } => {
            debug_assert!(named.len() <= PODS_NAMED);
            let pods = pods(named, *count, lang);
            let values =
                [("selector", selector.as_str()), ("key", topology_key), ("domain", domain), ("pods", &pods)];
            match term {
                Some(_) => texts::SAY_AVOID_POD.with(lang, &values) + texts::OR_PREFER.get(lang),
                None => texts::SAY_AVOIDED.with(lang, &values),
            }
        }
        Fix::ReduceSkew {
            topology_key, domain, matching, least, fewest, counts_itself, max_skew, ..
        } => {
            let here = (matching + i64::from(*counts_itself)).to_string();
            let text = if fewest.is_some() { texts::SAY_SKEW } else { texts::SAY_SKEW_DOMAINS };
            let values = [
                ("key", topology_key.as_str()),
                ("domain", domain),
                ("here", &here),
                ("least", &least.to_string()),
                ("fewest", fewest.as_deref().unwrap_or("")),
                ("max", &max_skew.to_string()),
            ];
            text.with(lang, &values) + texts::OR_PREFER.get(lang)
        }
        Fix::CreateClaim { claim } => texts::SAY_CREATE_CLAIM.with(lang, &[("claim", claim)]),
        Fix::RecreateClaim { claim, volume: Some(volume), .. } => {
            texts::SAY_RECREATE_CLAIM.with(lang, &[("claim", claim), ("volume", volume)])
        }
        Fix::RecreateClaim { claim, volume: None, .. } => {
            texts::SAY_ENDING_CLAIM.with(lang, &[("claim", claim)])
        }
        Fix::WaitForClaim { claim, node: Some(node) } => {
            texts::SAY_WAIT_CLAIM_ON.with(lang, &[("claim", claim), ("node", node)])
        }
        Fix::WaitForClaim { claim, node: None } => texts::SAY_WAIT_CLAIM.with(lang, &[("claim", claim)]),
        Fix::ProvideVolume { claim, wants, no_class } => {
            let text = if *no_class { texts::SAY_PROVIDE_CLASS } else { texts::SAY_PROVIDE };
            wanted(claim, wants, text, lang)
        }
        Fix::VolumeElsewhere { claim, volume, requirement } => texts::SAY_ELSEWHERE
            .with(lang, &[("claim", claim), ("volume", volume), ("requirement", requirement)]),
        Fix::ReleaseClaim { claim, pods: users } => {
            let pods = pods(users, users.len(), lang);
            texts::SAY_RELEASE_CLAIM.with(lang, &[("claim", claim), ("pods", &pods)])
        }
        Fix::FreeDisk { volume, pods: users } => {
            let pods = pods(users, users.len(), lang);
            texts::SAY_FREE_DISK.with(lang, &[("volume", volume), ("pods", &pods)])
        }
        Fix::AddNode => texts::SAY_ADD_NODE.get(lang).to_owned(),
    }
}

/// The title of a way.
pub(super) fn title(what: &What, lang: Lang) -> String {
    match what {
        What::AskLess { resource, from, to } => {
            texts::WAY_ASK_LESS.with(lang, &[("resource", resource), ("from", from), ("to", to)])
        }
        What::DeletePods { pods: names } => {
            texts::WAY_DELETE.with(lang, &[("pods", &pods(names, names.len(), lang))])
        }
        What::Tolerate(taint) => texts::WAY_TOLERATE.with(lang, &[("taint", taint)]),
        What::Untaint(taint) => texts::WAY_UNTAINT.with(lang, &[("taint", taint)]),
        What::Uncordon => texts::WAY_UNCORDON.get(lang).to_owned(),
        What::Label(label) => texts::WAY_LABEL.with(lang, &[("label", label)]),
        What::Unlabel(key) => texts::WAY_UNLABEL.with(lang, &[("key", key)]),
        What::DropWish(requirement) => texts::WAY_DROP_WISH.with(lang, &[("requirement", requirement)]),
        What::NameThisNode => texts::WAY_NAME_NODE.get(lang).to_owned(),
        What::DropNodeName => texts::WAY_NODE_NAME.get(lang).to_owned(),
        What::OtherPort { from, to } => {
            texts::WAY_PORT.with(lang, &[("from", &from.to_string()), ("to", &to.to_string())])
        }
        What::DropGate(name) => texts::WAY_GATE.with(lang, &[("name", name)]),
        What::RunPeer(selector) => texts::WAY_PEER.with(lang, &[("selector", selector)]),
        What::Prefer(rule) => texts::WAY_PREFER.with(lang, &[("rule", rule)]),
        What::DropLabels(keys) => texts::WAY_DROP_LABELS.with(lang, &[("keys", keys)]),
        What::AllowSkew { from, to } => {
            texts::WAY_SKEW.with(lang, &[("from", &from.to_string()), ("to", &to.to_string())])
        }
        What::CreateClaim(claim) => texts::WAY_CREATE_CLAIM.with(lang, &[("claim", claim)]),
        What::RecreateClaim(claim) => texts::WAY_RECREATE_CLAIM.with(lang, &[("claim", claim)]),
        What::CreateVolume { claim, storage, .. } => {
            texts::WAY_VOLUME.with(lang, &[("claim", claim), ("storage", storage)])
        }
        What::AddNode => texts::WAY_ADD_NODE.get(lang).to_owned(),
    }
}
