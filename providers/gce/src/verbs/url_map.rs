//! URL maps: trying one without installing it.

use gce_api::{Scope, UrlMap, UrlMapValidationResult, UrlMapsValidateRequest, UrlMapsValidateResponse};

use crate::{Collection, Error};

impl Collection<UrlMap> {
    /// Says whether a URL map would be accepted and whether its tests would pass. Nothing is changed, and the name need
    /// not exist. `schemes` are load balancing schemes such as `EXTERNAL_MANAGED`; left empty, the API infers them.
    pub async fn validate(
        &self,
        name: &str,
        map: &UrlMap,
        schemes: &[String],
    ) -> Result<UrlMapValidationResult, Error> {
        let body = UrlMapsValidateRequest {
            resource: Some(map.clone()),
            // Regional collections infer them always and know no such field.
            load_balancing_schemes: (self.scope == Scope::Global && !schemes.is_empty())
                .then(|| schemes.to_vec()),
            ..UrlMapsValidateRequest::default()
        };
        let answer: UrlMapsValidateResponse = self.ask("validate", name, &body).await?;
        answer.result.ok_or_else(|| Error::Unexpected {
            verb: "validate",
            resource: self.about(name),
            problem: "has no result",
        })
    }
}
