//! Which quota is used up, and how large it is.

use super::Refusal;

/// A quota of resources.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// For instance `URL_MAPS`, or where the API is more precise `compute.googleapis.com/url_maps`.
    pub metric: String,
    /// How many are allowed, where the API says it.
    pub limit: Option<f64>,
    /// The region it belongs to; `None` for a global one.
    pub region: Option<String>,
}

impl Quota {
    /// Reads what an operation's details say, or else the sentence for people:
    /// `Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally.` or `… Limit: 8.0 in region us-central1.`
    pub(super) fn of(refusal: &Refusal) -> Self {
        let text = refusal.message.as_str();
        let sentence = text.split_once("Quota '").and_then(|(_, rest)| rest.split_once('\''));
        let region = after(text, "in region ").map(|rest| word(rest).trim_end_matches('.').to_owned());
        let limit = after(text, "Limit: ").and_then(|rest| word(rest).trim_end_matches('.').parse().ok());
        let detail = refusal
            .reasons
            .iter()
            .flat_map(|reason| &reason.details)
            .find_map(|detail| detail.quota_info.as_ref());
        let metric = match (sentence, detail) {
            (Some((metric, _)), _) => metric.to_owned(),
            (None, Some(detail)) => detail.metric_name.clone().unwrap_or_default(),
            (None, None) => String::new(),
        };
        Self {
            metric,
            limit: limit.or_else(|| detail.and_then(|detail| detail.limit)),
            region: region.or_else(|| detail?.dimensions.as_ref()?.get("region").cloned()),
        }
    }
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

fn word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}
