//! Which resources are ours: an allow-list, and nothing else is ever changed or deleted.

use crate::model::{ClusterId, Mark, ResourceName};

/// Tells our resources from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    cluster: ClusterId,
    prefix: String,
}

/// How we stand to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Ours: the name carries our prefix and the cluster's id, and the description is a mark of this cluster.
    Ours(Mark),
    /// Not ours, but its name is one that we might want.
    Foreign,
    /// No concern of ours.
    Unrelated,
}

impl Ownership {
    /// Of one cluster.
    #[must_use]
    pub fn new(cluster: ClusterId) -> Self {
        let prefix = format!("gclb1-{cluster}-");
        Self { cluster, prefix }
    }

    /// With which every name of ours begins.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How we stand to a resource of that name and description.
    #[must_use]
    pub fn judge(&self, name: &ResourceName, description: Option<&str>) -> Standing {
        if !name.as_str().starts_with(&self.prefix) {
            return Standing::Unrelated;
        }
        match description.and_then(Mark::parse) {
            Some(mark) if mark.cluster == self.cluster => Standing::Ours(mark),
            _ => Standing::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Holder;

    #[test]
    fn a_resource_is_ours_by_name_and_mark_together() {
        let cluster = ClusterId::new("0a1b2c3d").unwrap();
        let ownership = Ownership::new(cluster.clone());
        let name = |tail: &str| ResourceName::new(tail).unwrap();
        let ours = name(&format!("{}x", ownership.prefix()));
        let mark = Mark { cluster, holder: Holder::Cluster };
        let of_another = Mark { cluster: ClusterId::new("ffffffff").unwrap(), holder: Holder::Cluster };

        assert_eq!(ownership.judge(&ours, Some(&mark.render())), Standing::Ours(mark.clone()));
        assert_eq!(ownership.judge(&ours, None), Standing::Foreign);
        assert_eq!(ownership.judge(&ours, Some("by hand")), Standing::Foreign);
        assert_eq!(ownership.judge(&ours, Some(&of_another.render())), Standing::Foreign);
        assert_eq!(ownership.judge(&name("by-hand"), Some(&mark.render())), Standing::Unrelated);
    }
}
