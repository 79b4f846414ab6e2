//! What a user does and sees in both forms of the walkthrough.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use controlplane::command;
use controlplane::wait::eventually;

/// What the story types, beside kubectl.
pub(crate) const TYPED: [&str; 2] = ["openssl", "curl"];

/// The echo server of the story behind its `NodePort` Service.
pub(crate) const ECHO: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: echoheaders }
spec:
  replicas: 2
  selector: { matchLabels: { app: echoheaders } }
  template:
    metadata: { labels: { app: echoheaders } }
    spec:
      containers:
      - name: echoheaders
        image: echoheaders
        ports: [ { containerPort: 8080 } ]
---
apiVersion: v1
kind: Service
metadata: { name: echoheaders }
spec:
  type: NodePort
  selector: { app: echoheaders }
  ports: [ { port: 8080 } ]
";

/// The Ingress of the story: no class, no rules.
pub(crate) const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: test }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: echoheaders, port: { number: 8080 } } }
";

/// Makes the certificate with exactly the story's command, and returns the Secret without a type that holds it.
pub(crate) async fn secret(folder: &Path) -> String {
    let script = "cd \"$1\" && openssl req -x509 -nodes -days 365 -newkey rsa:2048 -keyout tls.key -out tls.crt \
                  -subj \"/CN=echoheaders/O=echoheaders\"";
    command::run("sh", &["-c", script, "sh", &folder.display().to_string()]).await.unwrap();
    let encoded = |name: &str| STANDARD.encode(std::fs::read(folder.join(name)).unwrap());
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{ name: tls }}\ndata: {{ tls.crt: {}, tls.key: {} }}\n",
        encoded("tls.crt"),
        encoded("tls.key")
    )
}

/// The three curl commands of the story, and the certificate's name on the wire.
pub(crate) async fn the_address_serves(address: &str) {
    // The redirect needs no healthy backend: it is there as soon as the address is.
    let plain = format!("http://{address}");
    let answer = command::run("curl", &["--silent", "--show-error", "--include", &plain]).await.unwrap();
    let mut lines = answer.lines().map(str::trim_end);
    assert_eq!(lines.next(), Some("HTTP/1.1 301 Moved Permanently"), "{answer}");
    let location = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    });
    assert_eq!(location.as_deref(), Some(format!("https://{address}/").as_str()), "{answer}");

    let encrypted = format!("https://{address}");
    let page = eventually("the echo page over https", || async {
        let flags = ["--silent", "--show-error", "--fail", "--insecure", &encrypted];
        command::run("curl", &flags).await
    })
    .await;
    for line in
        ["CLIENT VALUES:", "command=GET", "real path=/", "HEADERS RECEIVED:", "x-forwarded-proto=https"]
    {
        assert!(page.lines().any(|found| found == line), "no line '{line}' in:\n{page}");
    }
    assert!(page.contains(&format!("host={address}")), "{page}");

    let followed =
        command::run("curl", &["--silent", "--show-error", "--fail", "-Lk", &plain]).await.unwrap();
    assert!(
        followed.contains("CLIENT VALUES:") && followed.contains("x-forwarded-proto=https"),
        "{followed}"
    );

    let script = "openssl s_client -connect \"$1:443\" </dev/null 2>/dev/null | openssl x509 -noout -subject -nameopt RFC2253";
    let subject = command::run("sh", &["-c", script, "sh", address]).await.unwrap();
    assert!(subject.contains("CN=echoheaders"), "{subject}");
}
