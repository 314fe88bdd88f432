//! Bringing scores to 0..=100.

use crate::scheduler::framework::MAX_NODE_SCORE;

/// Scales scores so that the greatest becomes 100.
///
/// Source: pkg/scheduler/framework/plugins/helper/normalize_score.go `DefaultNormalizeScore` (v1.37).
pub fn default_normalize_score(scores: &mut [i64]) {
    let max = scores.iter().copied().max().unwrap_or(0);
    if max <= 0 {
        return;
    }
    for score in scores {
        *score = MAX_NODE_SCORE.saturating_mul(*score) / max;
    }
}

/// As [`default_normalize_score`], turned around: the greatest becomes 0, and 100 is for 0.
pub fn reverse_normalize_score(scores: &mut [i64]) {
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        *score = if max <= 0 {
            MAX_NODE_SCORE
        } else {
            MAX_NODE_SCORE - MAX_NODE_SCORE.saturating_mul(*score) / max
        };
    }
}
