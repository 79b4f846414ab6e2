use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};

use super::*;
use crate::ingress::FINALIZER;
use crate::kube_client::{Answer, answered_by, refused};

/// One Ingress as an API server keeps it: a write with another resource version than its own is refused.
struct Kept {
    object: Option<Value>,
    writes: Vec<Value>,
    /// What somebody else makes of it right before each write arrives, last first.
    others: Vec<Option<Value>>,
}

impl Kept {
    fn answer(&mut self, method: &Method, body: Option<Value>) -> Answer {
        if method == Method::PATCH
            && let Some(other) = self.others.pop()
        {
            self.object = other;
        }
        match (method, body, &self.object) {
            (_, _, None) => refused(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::GET, _, Some(object)) => (StatusCode::OK, object.clone()),
            (&Method::PATCH, Some(patch), Some(object))
                if patch["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] =>
            {
                refused(StatusCode::CONFLICT, "Conflict")
            }
            (&Method::PATCH, Some(patch), Some(object)) => {
                self.writes.push(patch);
                (StatusCode::OK, object.clone())
            }
            (method, ..) => panic!("unexpected {method}"),
        }
    }
}

fn client(kept: &Arc<Mutex<Kept>>) -> Client {
    let kept = Arc::clone(kept);
    answered_by("default", move |method, body| Some(kept.lock().unwrap().answer(method, body)))
}

fn ingress(uid: &str, version: &str, finalizers: &[&str]) -> Value {
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {
        "namespace": "shop", "name": "web", "uid": uid, "resourceVersion": version, "finalizers": finalizers,
    } })
}

/// What is written when somebody else's writes come first.
async fn let_go_after(others: Vec<Option<Value>>) -> (Result<(), ReleasedError>, Vec<Value>) {
    let first = ingress("a", "1", &[FINALIZER]);
    let read: Ingress = serde_json::from_value(first.clone()).unwrap();
    let kept = Arc::new(Mutex::new(Kept { object: Some(first), writes: Vec::new(), others }));
    let done = let_go(&client(&kept), &read, "2026-11-23T10:00:00Z").await;
    let writes = std::mem::take(&mut kept.lock().unwrap().writes);
    (done, writes)
}

#[tokio::test]
async fn an_object_that_changed_since_it_was_read_is_read_again_and_keeps_what_others_wrote() {
    let others = vec![Some(ingress("a", "3", &["else", FINALIZER])), Some(ingress("a", "2", &[FINALIZER]))];
    let (done, writes) = let_go_after(others).await;
    done.unwrap();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(writes[0]["metadata"]["resourceVersion"], "3");
    assert_eq!(writes[0]["metadata"]["finalizers"], json!(["else"]));
    assert_eq!(writes[0]["metadata"]["annotations"][RELEASED], "2026-11-23T10:00:00Z");
}

#[tokio::test]
async fn what_is_gone_or_another_object_by_now_is_left_alone() {
    for other in [None, Some(ingress("b", "7", &[FINALIZER]))] {
        let (done, writes) = let_go_after(vec![other]).await;
        done.unwrap();
        assert_eq!(writes, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn an_object_that_never_holds_still_is_an_error_in_the_end() {
    let others = (2..40).rev().map(|n| Some(ingress("a", &n.to_string(), &[FINALIZER]))).collect();
    let (done, writes) = let_go_after(others).await;
    assert!(matches!(done, Err(ReleasedError::LetGo { .. })), "{done:?}");
    assert_eq!(writes, Vec::<Value>::new());
}
