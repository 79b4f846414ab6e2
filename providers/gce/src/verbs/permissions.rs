//! Which permissions the caller has on a resource.

use serde::{Deserialize, Serialize};

use crate::methods::TestPermissions;
use crate::{Collection, Error};

/// What is asked, and what is answered: those of them that the caller has.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Permissions {
    #[serde(default)]
    permissions: Vec<String>,
}

impl<R: TestPermissions> Collection<R> {
    /// Which of these permissions the caller has on a resource that exists. Everybody may ask.
    pub async fn test_permissions(&self, name: &str, permissions: &[&str]) -> Result<Vec<String>, Error> {
        let body = Permissions { permissions: permissions.iter().map(|one| (*one).to_owned()).collect() };
        let Permissions { permissions } = self.ask("testIamPermissions", name, &body).await?;
        Ok(permissions)
    }
}
