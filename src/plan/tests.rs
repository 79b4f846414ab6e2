//! One test for each rule of planning.

pub(crate) mod fixture;

use super::*;
use fixture::{done, steps, walkthrough};

#[test]
fn the_walkthrough_is_made_in_five_steps() {
    let world = walkthrough();
    let plan = plan(&world.translation, &Observed::default());
    println!("{plan}");
    assert_eq!(longest_chain(&plan), 5);
    let after = done(&Observed::default(), &plan);
    let again = super::plan(&world.translation, &after);
    assert!(again.is_empty(), "{again}");
    assert_eq!(after.graph, world.translation.desired);
    println!("{:#?}", steps(&plan));
}
