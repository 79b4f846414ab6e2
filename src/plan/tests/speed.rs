//! How long a plan takes among many load balancers.

use std::time::Instant;

use crate::model::Observed;
use crate::plan::plan;

use super::fixture::{World, done, http};

/// In a build with debug assertions every plan is checked as well, which is most of what is measured then.
#[test]
#[ignore = "long: prints how long planning takes among 5,000 load balancers of which one changes"]
fn one_change_among_5000_load_balancers() {
    let mut world = World::new();
    let names: Vec<String> = (0..5000).map(|nth| format!("s{nth}")).collect();
    for name in &names {
        world.pods(name, 2);
        world.serve(name, &http(&[name]));
    }
    let observed = done(&Observed::default(), &plan(&world.translation, &Observed::default()));
    let nothing = Instant::now();
    assert!(plan(&world.translation, &observed).is_empty());
    println!("nothing to do: {:?}", nothing.elapsed());
    world.pods("new", 2);
    world.serve("new", &http(&["new"]));
    let one = Instant::now();
    let plan = plan(&world.translation, &observed);
    println!(
        "one of {} load balancers ({} resources): {:?}",
        names.len(),
        observed.graph.len(),
        one.elapsed()
    );
    assert_eq!(plan.counts().delete, 0);
}
