//! Resources that are not ours: looked up as soon as something points at them, again with every list of everything, and sooner where
//! somebody waits for them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::cloud::Cloud;
use crate::cloud::mirror::Mirror;
use crate::cloud::mirror::foreign::News;
use crate::translate::Translation;

/// What is missing is looked for again after so long,
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// and then after pauses that grow to this: whoever makes it is served within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(45);

/// Looks up what this translation asks about and none before it did. Where that brings news, it must be translated again.
pub(super) async fn settle<C: Cloud>(mirror: &Mirror, cloud: &C, translation: &Translation) -> News {
    let new = mirror.want(&translation.lookups);
    mirror.look_up(cloud, &new).await
}

/// Asks again about what somebody waits for. Never returns.
pub(super) async fn watch<C: Cloud>(cloud: Arc<C>, mirror: Arc<Mirror>) {
    let mut pause = FIRST_PAUSE;
    let mut before = BTreeSet::new();
    loop {
        tokio::time::sleep(pause).await;
        let unsettled = mirror.unsettled();
        if !unsettled.is_empty() {
            mirror.look_up_again(&*cloud, Some(&unsettled)).await;
        }
        pause = if unsettled == before { (pause * 2).min(LONGEST_PAUSE) } else { FIRST_PAUSE };
        if unsettled.is_empty() {
            pause = FIRST_PAUSE;
        }
        before = unsettled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::fixture::Scripted;
    use crate::model::{ForeignFacts, ForeignId, ForeignKind, ForeignStanding, ResourceName};

    fn id(name: &str) -> ForeignId {
        ForeignId::global(ForeignKind::SslCertificate, ResourceName::new(name).unwrap())
    }

    fn asking(names: &[&str]) -> Translation {
        Translation { lookups: names.iter().map(|name| id(name)).collect(), ..Translation::default() }
    }

    fn appear(cloud: &Scripted, name: &str) {
        cloud.foreign.lock().unwrap().insert(ResourceName::new(name).unwrap(), ForeignFacts::Exists);
    }

    fn asked(cloud: &Scripted) -> usize {
        cloud.asked().iter().filter(|line| line.starts_with("look up")).count()
    }

    fn stands(mirror: &Mirror, name: &str) -> String {
        match mirror.observed().held().foreign.standing(&id(name)) {
            ForeignStanding::Found(_) => "found".to_owned(),
            ForeignStanding::Missing => "missing".to_owned(),
            ForeignStanding::Unknown(Some(_)) => "failed".to_owned(),
            ForeignStanding::Unknown(None) => "unknown".to_owned(),
            ForeignStanding::Assumed => "assumed".to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_asked_for_once_and_what_is_missing_until_it_comes() {
        let (cloud, mirror) = (Arc::new(Scripted::default()), Arc::new(Mirror::default()));
        appear(&cloud, "there");
        assert_eq!(stands(&mirror, "there"), "unknown");
        assert_eq!(settle(&mirror, &*cloud, &asking(&["there", "missing"])).await, News::Something);
        assert_eq!(
            (stands(&mirror, "there"), stands(&mirror, "missing")),
            ("found".to_owned(), "missing".to_owned())
        );
        assert_eq!(settle(&mirror, &*cloud, &asking(&["there", "missing"])).await, News::Nothing);
        assert_eq!(asked(&cloud), 2);

        tokio::spawn(watch(Arc::clone(&cloud), Arc::clone(&mirror)));
        tokio::time::sleep(Duration::from_mins(10)).await;
        let calls = asked(&cloud) - 2;
        assert!((12..=20).contains(&calls), "{calls} in ten minutes, for the missing one alone");
        appear(&cloud, "missing");
        tokio::time::timeout(Duration::from_mins(1), mirror.changed())
            .await
            .expect("noticed within a minute");
        assert_eq!(stands(&mirror, "missing"), "found");
        let calls = asked(&cloud);
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(asked(&cloud), calls, "nobody waits any more");
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_takes_away_no_earlier_one_and_is_not_absence() {
        let (cloud, mirror) = (Arc::new(Scripted::default()), Arc::new(Mirror::default()));
        appear(&cloud, "there");
        settle(&mirror, &*cloud, &asking(&["there"])).await;
        *cloud.blind.lock().unwrap() = true;
        settle(&mirror, &*cloud, &asking(&["there", "other"])).await;
        mirror.look_up_again(&*cloud, None).await;
        assert_eq!(
            (stands(&mirror, "there"), stands(&mirror, "other")),
            ("found".to_owned(), "failed".to_owned())
        );
        *cloud.blind.lock().unwrap() = false;
        mirror.look_up_again(&*cloud, None).await;
        assert_eq!(stands(&mirror, "other"), "missing");
        // What nobody points at any more is forgotten, and asked for anew when somebody does again.
        settle(&mirror, &*cloud, &asking(&[])).await;
        assert_eq!(stands(&mirror, "there"), "unknown");
        settle(&mirror, &*cloud, &asking(&["there"])).await;
        assert_eq!(stands(&mirror, "there"), "found");
    }
}
