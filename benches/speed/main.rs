//! How long changes of N load balancers take, against what no controller can beat; and what a restart and rest cost.
//!
//! ```text
//! make bench                                    everything: about half an hour
//! cargo bench --bench speed -- --n 100          one size
//! cargo bench --bench speed -- --n 10 --story rule
//! cargo bench --bench speed -- --n 1000 --restart
//! ```
//!
//! The emulator is a child process with operations of two seconds and 1500 calls of each group a minute. The controller is another: this
//! program again, with the folder source, the pipeline and the client that `gclb controller` has. It judges nothing; the table that
//! it prints is the one of docs/benchmarks.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bound;
mod cloud;
mod controller;
mod emulated;
mod manifests;
mod rest;
mod story;
mod table;

use std::time::Duration;

use clap::Parser;
use story::Story;

/// How long each operation of the cloud takes.
pub(crate) const OPERATION: Duration = Duration::from_secs(2);
/// How many calls of each group a minute it allows.
pub(crate) const PER_MINUTE: u32 = 1500;
/// How often the controller lists everything again, unless told otherwise.
pub(crate) const DRIFT: Duration = Duration::from_mins(10);

#[derive(Debug, Parser)]
struct Arguments {
    /// So many load balancers, separated by commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,10,100,1000")]
    n: Vec<usize>,
    /// Only this story; the ones before it run too, unmeasured and without a quota
    #[arg(long, value_enum)]
    story: Option<Story>,
    /// Only the restart and the rest after it
    #[arg(long)]
    restart: bool,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
    #[command(flatten)]
    controller: controller::ChildArguments,
}

#[tokio::main]
async fn main() {
    gce::install_crypto_provider();
    let arguments = Arguments::parse();
    if arguments.controller.is_given() {
        return controller::run(arguments.controller).await;
    }
    println!(
        "Operations of {} s, {PER_MINUTE} calls of each group a minute; {} build.\n",
        OPERATION.as_secs(),
        if cfg!(debug_assertions) { "debug" } else { "release" }
    );
    println!("{}", bound::formulas());
    println!("{}", table::HEAD);
    let mut rest = Vec::new();
    for n in arguments.n {
        let stories = match (arguments.story, arguments.restart) {
            (Some(story), _) => vec![story],
            (None, true) => Vec::new(),
            (None, false) => Story::ALL.to_vec(),
        };
        let measured_rest = arguments.restart || arguments.story.is_none();
        rest.extend(story::run(n, &stories, measured_rest).await);
    }
    if !rest.is_empty() {
        println!("\n{}", table::REST_HEAD);
        for row in rest {
            println!("{row}");
        }
    }
}
