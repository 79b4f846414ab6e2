//! Three Ingresses of two namespaces in one load balancer, from joining to leaving, through the data plane.

use controlplane::wait::eventually;

use crate::ingresses;
use crate::manifests::{Reach, echo};
use crate::shared::namespace;

fn member(name: &str, host: &str, path: &str) -> String {
    format!(
        "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  annotations: {{ gclb.dev/group: front }}
spec:
  ingressClassName: wide
  rules:
  - host: {host}
    http:
      paths:
      - {{ path: {path}, pathType: Prefix, backend: {{ service: {{ name: {name}, port: {{ number: 80 }} }} }} }}
---
"
    )
}

const CLASS: &str = "
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: wide
  annotations: { gclb.dev/group-scope: class }
spec: { controller: gclb.dev/ingress }
---
";

#[tokio::test]
async fn members_of_two_namespaces_share_an_address_and_leave_one_by_one() {
    let Some(shop) = namespace("group-shop").await else { return };
    let Some(press) = namespace("group-press").await else { return };
    shop.kubectl.apply(CLASS).await.unwrap();
    let services = echo("web", 1, Reach::NodePort) + &echo("cart", 1, Reach::NodePort);
    let members = member("web", "shop.example", "/") + &member("cart", "shop.example", "/cart");
    shop.kubectl.apply(&(services + &members)).await.unwrap();
    let blog = echo("blog", 1, Reach::NodePort) + &member("blog", "blog.example", "/");
    press.kubectl.apply(&blog).await.unwrap();

    // One address, and each is served there.
    let front = ingresses::address(&shop.kubectl, "web").await;
    assert_eq!(ingresses::address(&shop.kubectl, "cart").await.address(), front.address());
    assert_eq!(ingresses::address(&press.kubectl, "blog").await.address(), front.address());
    front.served_by("web", "http://shop.example/").await;
    front.served_by("cart", "http://shop.example/cart").await;
    front.served_by("blog", "http://blog.example/").await;
    let remembered =
        ingresses::field(&press.kubectl, "blog", "{.metadata.annotations.gclb\\.dev/member-of}").await;
    assert_eq!(remembered.as_deref(), Ok("class-group/wide/front"));

    // One is broken and another deleted: neither is in the way of the others. The deletion waits for the finalizer.
    let broken = member("web", "shop.example", "/").replace("name: web, port", "name: nobody, port");
    shop.kubectl.apply(&broken).await.unwrap();
    ingresses::warns(&shop.kubectl, "web", "ServiceNotFound", &["nobody"]).await;
    shop.kubectl.run(&["delete", "ing", "cart"]).await.unwrap();
    // By now its path leads where the rest of the host does: to the Service that is not there.
    front.answers(503, "http://shop.example/cart").await;
    front.served_by("blog", "http://blog.example/").await;

    // One leaves: it is served at an address of its own, and then no longer here.
    press.kubectl.run(&["annotate", "ing", "blog", "gclb.dev/group-"]).await.unwrap();
    let own = eventually("blog to have an address of its own", || async {
        let own = ingresses::address(&press.kubectl, "blog").await;
        if own.address() == front.address() { Err("still that of the group".to_owned()) } else { Ok(own) }
    })
    .await;
    own.served_by("blog", "http://blog.example/").await;
    front.answers(404, "http://blog.example/").await;
    let forgotten = || async {
        let path = "{.metadata.annotations.gclb\\.dev/member-of}";
        let remembered = ingresses::field(&press.kubectl, "blog", path).await?;
        if remembered.is_empty() { Ok(()) } else { Err(remembered) }
    };
    eventually("blog to forget the group", forgotten).await;

    // The last one takes the group with it.
    shop.kubectl.run(&["delete", "ing", "web"]).await.unwrap();
    press.kubectl.run(&["delete", "ing", "blog"]).await.unwrap();
    assert!(front.get("http://shop.example/").await.is_err(), "nothing answers at the group's address");
}
