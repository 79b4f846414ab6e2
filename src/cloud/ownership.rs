//! Which resources are ours: an allow-list, and nothing else is ever changed or deleted.

use crate::model::{ClusterId, Mark, ResourceName};
use crate::naming;

/// Tells our resources from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    cluster: ClusterId,
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
    pub const fn new(cluster: ClusterId) -> Self {
        Self { cluster }
    }

    /// Which cluster.
    #[must_use]
    pub const fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// How we stand to a resource of that name and description.
    #[must_use]
    pub fn judge(&self, name: &ResourceName, description: Option<&str>) -> Standing {
        if !naming::is_ours(name.as_str(), &self.cluster) {
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
        let ours = naming::firewall(&cluster, "default");
        let mark = Mark { cluster, holder: Holder::Cluster };
        let of_another = Mark { cluster: ClusterId::new("ffffffff").unwrap(), holder: Holder::Cluster };

        assert_eq!(ownership.judge(&ours, Some(&mark.render())), Standing::Ours(mark.clone()));
        assert_eq!(ownership.judge(&ours, None), Standing::Foreign);
        assert_eq!(ownership.judge(&ours, Some("by hand")), Standing::Foreign);
        assert_eq!(ownership.judge(&ours, Some(&of_another.render())), Standing::Foreign);
        assert_eq!(
            ownership.judge(&ResourceName::new("by-hand").unwrap(), Some(&mark.render())),
            Standing::Unrelated
        );
    }
}
