//! The world that most tests share.

use controlplane::prerequisite::{or_skip, programs};
use controlplane::{Kubectl, Options, World};
use tokio::sync::OnceCell;

use crate::gclb;

static WORLD: OnceCell<Option<World>> = OnceCell::const_new();

/// The shared world, with the controller running; nothing, said aloud, where it cannot be had.
pub(crate) async fn world() -> Option<&'static World> {
    let start = || async {
        // The certificate on the wire is read with it.
        or_skip(programs(&["openssl"]))?;
        let mut world = or_skip(World::start(gclb(), Options::default()).await)?;
        world.start_controller().expect("the controller starts");
        Some(world)
    };
    WORLD.get_or_init(start).await.as_ref()
}

/// A namespace of the shared world that belongs to one test. What the controller last said is shown when the test fails.
pub(crate) async fn namespace(name: &str) -> Option<Namespace> {
    let world = world().await?;
    let kubectl = world.namespace(name).await.expect("a namespace can be made");
    Some(Namespace { world, kubectl, name: name.to_owned() })
}

/// A namespace that belongs to one test.
pub(crate) struct Namespace {
    pub(crate) world: &'static World,
    pub(crate) kubectl: Kubectl,
    pub(crate) name: String,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the namespace {}:\n{}", self.name, self.world.log_tails());
        }
    }
}
