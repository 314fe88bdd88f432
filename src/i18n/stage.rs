//! Texts of the stage.

use super::texts;

texts! {
    STAGE: "Cluster", "클러스터";
}
