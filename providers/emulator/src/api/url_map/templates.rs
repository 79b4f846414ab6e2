//! The rules of path templates.

use crate::dataplane::path_template::{PathTemplate, PathTemplateRewrite};
use crate::error::ApiError;
use serde_json::{Map, Value};

type Body = Map<String, Value>;

/// Every template can be read, and a rewrite names only variables of the templates of its rule.
pub(super) fn check(map: &Body) -> Result<(), ApiError> {
    for (matcher, body) in objects(map.get("pathMatchers")) {
        for (rule, body) in objects(body.get("routeRules")) {
            let at = format!("resource.pathMatchers[{matcher}].routeRules[{rule}]");
            let mut templates = Vec::new();
            for (index, matches) in objects(body.get("matchRules")) {
                let Some(source) = matches.get("pathTemplateMatch").and_then(Value::as_str) else { continue };
                let template = PathTemplate::parse(source).map_err(|error| {
                    let at = format!("{at}.matchRules[{index}].pathTemplateMatch");
                    ApiError::invalid(&at, source, &format!("The path template {error}."))
                })?;
                templates.push(template);
            }
            let rewrite = body.get("routeAction").and_then(|action| action.get("urlRewrite"));
            let rewrite = rewrite.and_then(|rewrite| rewrite.get("pathTemplateRewrite"));
            let Some(source) = rewrite.and_then(Value::as_str) else { continue };
            let checked = PathTemplateRewrite::parse(source)
                .and_then(|rewrite| templates.iter().try_for_each(|template| rewrite.check(template)));
            checked.map_err(|error| {
                let at = format!("{at}.routeAction.urlRewrite.pathTemplateRewrite");
                ApiError::invalid(&at, source, &format!("The path template {error}."))
            })?;
        }
    }
    Ok(())
}

fn objects(list: Option<&Value>) -> impl Iterator<Item = (usize, &Body)> {
    let items = list.and_then(Value::as_array).into_iter().flatten().enumerate();
    items.filter_map(|(index, value)| Some((index, value.as_object()?)))
}
