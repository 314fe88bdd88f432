//! What an autoscaler makes of the replicas that its metrics ask for: bounds, rates, and no haste on the way down.
//!
//! Source: pkg/controller/podautoscaler/horizontal.go `normalizeDesiredReplicas`,
//! `normalizeDesiredReplicasWithBehaviors` and what they call (v1.37).

use podlab_sim::{SimDuration, SimTime};
use serde_json::Value;

/// How long a higher recommendation holds.
///
/// Source: `--horizontal-pod-autoscaler-downscale-stabilization`.
pub(super) const DOWNSCALE_STABILIZATION: u64 = 300;

/// What an autoscaler remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    recommendations: Vec<(SimTime, i64)>,
    ups: Vec<(SimTime, i64)>,
    downs: Vec<(SimTime, i64)>,
}

/// What is to be normalized.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) current: i64,
    pub(super) desired: i64,
    pub(super) min: i64,
    pub(super) max: i64,
}

/// The outcome, with the reason and text of `AbleToScale` and of `ScalingLimited`, and whether that is so.
pub(super) struct Normalized {
    pub(super) replicas: i64,
    pub(super) able: (&'static str, &'static str),
    pub(super) limited: (bool, &'static str, &'static str),
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const DOWN_STABILIZED: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const UP_STABILIZED: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const TOO_MANY: (&str, &str) =
    ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: (&str, &str) =
    ("TooFewReplicas", "the desired replica count is less than the minimum replica count");

fn ago(now: SimTime, seconds: u64) -> SimTime {
    now - SimDuration::from_secs(seconds)
}

impl Memory {
    /// The first recommendation is what is there.
    pub(super) fn begin(&mut self, current: i64, now: SimTime) {
        if self.recommendations.is_empty() {
            self.recommendations.push((now, current));
        }
    }

    /// Keeps a recommendation, in place of one that is too old where there is one.
    fn recommend(&mut self, desired: i64, now: SimTime, is_old: impl Fn(SimTime) -> bool) {
        match self.recommendations.iter().rposition(|(at, _)| is_old(*at)) {
            Some(old) => self.recommendations[old] = (now, desired),
            None => self.recommendations.push((now, desired)),
        }
    }

    /// Without `spec.behavior`: at most twice as many (or four) at once, and down to the highest of five minutes.
    pub(super) fn normalize(&mut self, wanted: Wanted, now: SimTime) -> Normalized {
        let cutoff = ago(now, DOWNSCALE_STABILIZATION);
        let recent =
            self.recommendations.iter().filter(|(at, _)| *at >= cutoff).map(|(_, replicas)| *replicas);
        let stabilized = recent.fold(wanted.desired, i64::max);
        self.recommend(wanted.desired, now, |at| at < cutoff);
        let most = wanted.current.saturating_mul(2).max(4);
        let (most, limit) = if wanted.max > most { (most, UP_LIMIT) } else { (wanted.max, TOO_MANY) };
        let (replicas, (reason, text)) = if stabilized < wanted.min {
            (wanted.min, TOO_FEW)
        } else if stabilized > most {
            (most, limit)
        } else {
            (stabilized, WITHIN)
        };
        Normalized {
            replicas,
            able: if stabilized == wanted.desired { READY } else { DOWN_STABILIZED },
            limited: (replicas != stabilized, reason, text),
        }
    }

    /// With `spec.behavior`.
    pub(super) fn normalize_with(&mut self, wanted: Wanted, behavior: &Value, now: SimTime) -> Normalized {
        let rules = |name: &str| behavior.get(name).unwrap_or(&Value::Null);
        let (up, down) = (rules("scaleUp"), rules("scaleDown"));
        let window = |rules: &Value, default: u64| {
            rules.get("stabilizationWindowSeconds").and_then(Value::as_u64).unwrap_or(default)
        };
        let up_cutoff = ago(now, window(up, 0));
        let down_cutoff = ago(now, window(down, DOWNSCALE_STABILIZATION));
        let (mut least, mut most) = (wanted.desired, wanted.desired);
        for (at, replicas) in &self.recommendations {
            if *at > up_cutoff {
                least = least.min(*replicas);
            }
            if *at > down_cutoff {
                most = most.max(*replicas);
            }
        }
        let stabilized = wanted.current.max(least).min(most);
        self.recommend(wanted.desired, now, |at| at < up_cutoff && at < down_cutoff);
        let stabilizes = if wanted.desired >= wanted.current { UP_STABILIZED } else { DOWN_STABILIZED };
        let (replicas, (reason, text)) =
            self.at_rate(Wanted { desired: stabilized, ..wanted }, up, down, now);
        Normalized {
            replicas,
            able: if stabilized == wanted.desired { READY } else { stabilizes },
            limited: (replicas != stabilized, reason, text),
        }
    }

    /// Source: horizontal.go `convertDesiredReplicasWithBehaviorRate`.
    fn at_rate(
        &self,
        wanted: Wanted,
        up: &Value,
        down: &Value,
        now: SimTime,
    ) -> (i64, (&'static str, &'static str)) {
        if wanted.desired > wanted.current {
            let limit = self.limit(wanted.current, up, true, now).max(wanted.current);
            let (most, why) = if wanted.max > limit { (limit, UP_LIMIT) } else { (wanted.max, TOO_MANY) };
            if wanted.desired > most {
                return (most, why);
            }
        } else if wanted.desired < wanted.current {
            let limit = self.limit(wanted.current, down, false, now).min(wanted.current);
            let (least, why) = if wanted.min < limit { (limit, DOWN_LIMIT) } else { (wanted.min, TOO_FEW) };
            if wanted.desired < least {
                return (least, why);
            }
        }
        (wanted.desired, WITHIN)
    }

    /// Where the policies of a direction end.
    ///
    /// Source: horizontal.go `calculateScaleUpLimitWithScalingRules`, `calculateScaleDownLimitWithBehaviors`.
    fn limit(&self, current: i64, rules: &Value, up: bool, now: SimTime) -> i64 {
        let select = rules.get("selectPolicy").and_then(Value::as_str).unwrap_or("Max");
        if select == "Disabled" {
            return current;
        }
        let policies = rules.get("policies").and_then(Value::as_array).into_iter().flatten();
        let limits = policies.map(|policy| {
            let number = |field: &str| policy.get(field).and_then(Value::as_i64).unwrap_or(0);
            let cutoff = ago(now, u64::try_from(number("periodSeconds")).unwrap_or(0));
            let changed = |events: &[(SimTime, i64)]| {
                events.iter().filter(|(at, _)| *at > cutoff).map(|(_, change)| change).sum::<i64>()
            };
            let start = current - changed(&self.ups) + changed(&self.downs);
            let value = number("value");
            match (policy.get("type").and_then(Value::as_str), up) {
                (Some("Pods"), true) => start.saturating_add(value),
                (Some("Pods"), false) => start.saturating_sub(value),
                (_, true) => (start as f64 * (1.0 + value as f64 / 100.0)).ceil() as i64,
                (_, false) => (start as f64 * (1.0 - value as f64 / 100.0)) as i64,
            }
        });
        // The greatest change is the highest limit on the way up, the lowest on the way down.
        let highest = (select == "Max") == up;
        let found = if highest { limits.max() } else { limits.min() };
        found.unwrap_or(if highest { i64::from(i32::MIN) } else { i64::from(i32::MAX) })
    }

    /// Keeps a change for the policies' periods.
    pub(super) fn scaled(&mut self, from: i64, to: i64, behavior: Option<&Value>, now: SimTime) {
        let Some(behavior) = behavior else { return };
        let (events, rules) = match to > from {
            true => (&mut self.ups, behavior.get("scaleUp")),
            false => (&mut self.downs, behavior.get("scaleDown")),
        };
        let policies = rules.and_then(|rules| rules.get("policies")).and_then(Value::as_array);
        let periods =
            policies.into_iter().flatten().filter_map(|policy| policy.get("periodSeconds")?.as_u64());
        let cutoff = ago(now, periods.max().unwrap_or(0));
        events.retain(|(at, _)| *at >= cutoff);
        events.push((now, (to - from).abs()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: i64) -> SimTime {
        SimTime::from_secs(1_000_000 + seconds)
    }

    fn wanted(current: i64, desired: i64) -> Wanted {
        Wanted { current, desired, min: 1, max: 10 }
    }

    #[test]
    fn without_behavior_it_goes_up_twofold_and_down_after_five_minutes() {
        let mut memory = Memory::default();
        memory.begin(1, at(0));
        let first = memory.normalize(wanted(1, 9), at(0));
        assert_eq!((first.replicas, first.limited.1), (4, "ScaleUpLimit"));
        let second = memory.normalize(wanted(4, 20), at(15));
        assert_eq!((second.replicas, second.limited.1), (8, "ScaleUpLimit"));
        let third = memory.normalize(wanted(8, 20), at(30));
        assert_eq!((third.replicas, third.limited.1), (10, "TooManyReplicas"));
        let held = memory.normalize(wanted(10, 0), at(60));
        assert_eq!((held.replicas, held.able.0), (10, "ScaleDownStabilized"));
        let last = memory.normalize(wanted(10, 0), at(331));
        assert_eq!((last.replicas, last.able.0, last.limited.1), (1, "ReadyForNewScale", "TooFewReplicas"));
    }

    #[test]
    fn policies_bound_the_change_in_their_period() {
        let behavior = json!({
            "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max",
                "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]},
            "scaleDown": {"stabilizationWindowSeconds": 0, "selectPolicy": "Min",
                "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60},
                    {"type": "Pods", "value": 1, "periodSeconds": 60}]},
        });
        let mut memory = Memory::default();
        memory.begin(2, at(0));
        let first = memory.normalize_with(wanted(2, 9), &behavior, at(1));
        assert_eq!((first.replicas, first.limited.1), (4, "ScaleUpLimit"));
        memory.scaled(2, 4, Some(&behavior), at(1));
        assert_eq!(memory.normalize_with(wanted(4, 9), &behavior, at(16)).replicas, 4);
        assert_eq!(memory.normalize_with(wanted(4, 9), &behavior, at(62)).replicas, 6);
        let down = memory.normalize_with(wanted(6, 1), &behavior, at(200));
        assert_eq!((down.replicas, down.limited.1), (5, "ScaleDownLimit"));
        let disabled = json!({"scaleDown": {"selectPolicy": "Disabled", "stabilizationWindowSeconds": 0}});
        assert_eq!(Memory::default().normalize_with(wanted(6, 1), &disabled, at(0)).replicas, 6);
    }
}
