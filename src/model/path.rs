//! A resource as one text: the end of its URL in the Compute API, such as `global/urlMaps/NAME` or `zones/Z/networkEndpointGroups/NAME`.
//!
//! Files that are saved name resources so, and read them back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Kind, Region, ResourceId, ResourceName, Scope, Zone};

/// A text that is not the path of a resource that gclb makes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the path of a resource: global/KINDS/NAME, regions/R/KINDS/NAME or zones/Z/KINDS/NAME")]
pub struct InvalidPath(String);

/// A resource, shown as its path.
struct Path<'a>(&'a ResourceId);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResourceId { kind, scope, name } = self.0;
        write!(f, "{scope}/{}/{name}", kind.collection())
    }
}

impl ResourceId {
    /// The end of its URL in the Compute API.
    #[must_use]
    pub fn path(&self) -> String {
        Path(self).to_string()
    }
}

impl FromStr for ResourceId {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPath(text.to_owned());
        let parts: Vec<&str> = text.split('/').collect();
        let (scope, collection, name) = match *parts {
            ["global", collection, name] => (Scope::Global, collection, name),
            ["regions", region, collection, name] => {
                (Scope::Region(Region(region.to_owned())), collection, name)
            }
            ["zones", zone, collection, name] => (Scope::Zone(Zone(zone.to_owned())), collection, name),
            _ => return Err(invalid()),
        };
        let kind = Kind::ALL.into_iter().find(|kind| kind.collection() == collection).ok_or_else(invalid)?;
        Ok(Self { kind, scope, name: ResourceName::new(name).map_err(|_| invalid())? })
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Path(self))
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_survives_its_path() {
        for path in
            ["global/urlMaps/a", "regions/r/addresses/b", "zones/us-central1-a/networkEndpointGroups/c"]
        {
            assert_eq!(path.parse::<ResourceId>().unwrap().path(), path);
        }
        for bad in
            ["", "urlMaps/a", "global/urlMaps", "global/disks/a", "global/urlMaps/A", "zones/z/urlMaps/a/b"]
        {
            assert!(bad.parse::<ResourceId>().is_err(), "{bad}");
        }
    }
}
