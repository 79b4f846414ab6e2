//! etcd, the API server and the controllers, started and stopped as one.
//!
//! They are the real programs with RBAC, admission and garbage collection as a cluster has them. What a cluster
//! has beyond them, nodes and pods, is not here: see [`crate::cluster`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Api, Client, Config};
use tempfile::TempDir;

use crate::assets::{self, Assets, AssetsError};
use crate::certificates::{Authority, CertificatesError, Proof};
use crate::kubectl::Kubectl;
use crate::process::{self, Janitor, Process, ProcessError, Program};
use crate::site::{Site, SiteError};

mod flags;

/// The longest that a start may take. It takes about five seconds on a machine with nothing else to do.
const START_LIMIT: Duration = Duration::from_mins(2);

/// How long one look whether it is ready may take.
const ONE_LOOK: Duration = Duration::from_millis(500);

/// The pause between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How long a service account's token is good for: longer than any test, and what Kubernetes allows at least.
const TOKEN_SECONDS: i64 = 24 * 3600;

/// Set it to anything to have the folder with the logs kept.
const KEEP: &str = "CONTROLPLANE_KEEP";

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
pub enum ControlPlaneError {
    /// The programs are not there.
    #[error("finding the programs of the control plane failed")]
    Assets(#[from] AssetsError),
    /// No addresses.
    #[error("finding addresses for the control plane failed")]
    Site(#[from] SiteError),
    /// No certificates.
    #[error("making the control plane's certificates failed")]
    Certificates(#[from] CertificatesError),
    /// A program did not start or stop.
    #[error("running the control plane's programs failed")]
    Process(#[from] ProcessError),
    /// The file system refused.
    #[error("{action} {} failed", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A program ended, or never became ready.
    #[error("starting the control plane: {what}\n--- the end of {}:\n{tail}", log.display())]
    NotReady {
        /// What it was waited for, and what was there instead.
        what: String,
        /// Where there is more to read.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// A kubeconfig that was just written could not be used.
    #[error("reading {}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: KubeconfigError,
    },
    /// The API server refused a request of the harness itself.
    #[error("{action} failed")]
    Request {
        /// What was being done.
        action: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
}

impl ControlPlaneError {
    /// For a request of the harness itself that the API server refused.
    pub(crate) fn request(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let action = action.into();
        |source| Self::Request { action, source: Box::new(source) }
    }
}

/// A running control plane. Dropping it, or the end of this process in whatever way, stops all of it.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order in which they are stopped.
    controllers: Option<Process>,
    api_server: Option<Process>,
    etcd: Option<Process>,
    assets: Assets,
    authority: Authority,
    serving: crate::certificates::Files,
    service_accounts: (PathBuf, PathBuf),
    admin: PathBuf,
    site: Site,
    folder: PathBuf,
    // Last: the folder goes when nothing writes to it any more.
    _folder: Option<(Janitor, TempDir)>,
}

impl ControlPlane {
    /// Starts one and waits until it serves and its controllers act.
    ///
    /// Finding the programs may mean building them, which takes minutes and blocks this thread.
    pub async fn start() -> Result<Self, ControlPlaneError> {
        // A second installation is refused, which is no harm: all of this project uses the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let assets = Assets::find_or_build()?;
        let site = Site::reserve()?;
        let (folder, guard) = scratch_folder()?;
        let authority = Authority::new(&folder)?;
        let serving = authority.server(
            "kube-apiserver",
            site.api_server().ip(),
            &["kubernetes.default.svc", "localhost"],
        )?;
        let service_accounts = authority.service_account_keys()?;
        let proof = authority.client("admin", &["system:masters"])?;
        let admin = authority.kubeconfig("admin", &url(&site), "default", &proof)?;
        let mut control_plane = Self {
            controllers: None,
            api_server: None,
            etcd: None,
            assets,
            authority,
            serving,
            service_accounts,
            admin,
            site,
            folder,
            _folder: guard,
        };
        control_plane.start_programs().await?;
        Ok(control_plane)
    }

    /// Loses everything the API server knew, as when etcd's disk is lost: all three programs are killed, and started
    /// again empty at the same addresses, with the same certificates. Service accounts' tokens are void after it.
    pub async fn lose_etcd(&mut self) -> Result<(), ControlPlaneError> {
        for process in [&mut self.controllers, &mut self.api_server, &mut self.etcd] {
            if let Some(mut process) = process.take() {
                process.kill()?;
            }
        }
        let data = self.etcd_data();
        std::fs::remove_dir_all(&data).map_err(|source| ControlPlaneError::File {
            action: "removing",
            path: data,
            source,
        })?;
        self.start_programs().await
    }

    async fn start_programs(&mut self) -> Result<(), ControlPlaneError> {
        self.etcd = Some(self.start_program(assets::Program::Etcd, flags::etcd(self))?);
        self.api_server = Some(self.start_program(assets::Program::ApiServer, flags::api_server(self))?);
        let client = self.client().await?;
        let waiting = || async {
            let request = http_get("/readyz");
            client.request_text(request).await.map(|_| ()).map_err(|error| format!("/readyz: {error}"))
        };
        self.wait_until("the API server to be ready", assets::Program::ApiServer, waiting).await?;
        let flags = flags::controller_manager(self)?;
        self.controllers = Some(self.start_program(assets::Program::ControllerManager, flags)?);
        let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
        let waiting = || async {
            accounts.get("default").await.map(|_| ()).map_err(|error| format!("its service account: {error}"))
        };
        self.wait_until("the namespace 'default' to be set up", assets::Program::ControllerManager, waiting)
            .await
    }

    fn start_program(
        &self,
        program: assets::Program,
        arguments: Vec<OsString>,
    ) -> Result<Process, ControlPlaneError> {
        Ok(Process::start(&Program {
            name: program.file_name().into(),
            path: self.assets.path(program),
            arguments,
            environment: Vec::new(),
            log: self.log(program.file_name()),
        })?)
    }

    async fn wait_until<Look, Answer>(
        &mut self,
        what: &str,
        program: assets::Program,
        mut look: Look,
    ) -> Result<(), ControlPlaneError>
    where
        Look: FnMut() -> Answer,
        Answer: Future<Output = Result<(), String>>,
    {
        let started = std::time::Instant::now();
        loop {
            // The client tries again by itself, with growing pauses: cut short, so that the next look is soon.
            let last = match tokio::time::timeout(ONE_LOOK, look()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(last)) => last,
                Err(_) => "it does not answer".into(),
            };
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let ended = self.first_ended()?;
            let (what, log) = match ended {
                Some((name, status)) => (format!("{name} ended with {status}"), self.log(&name)),
                None if started.elapsed() > START_LIMIT => (
                    format!("waited {} s for {what}, but {last}", START_LIMIT.as_secs()),
                    self.log(program.file_name()),
                ),
                None => continue,
            };
            let tail = process::tail(&log);
            return Err(ControlPlaneError::NotReady { what, log, tail });
        }
    }

    fn first_ended(&mut self) -> Result<Option<(String, std::process::ExitStatus)>, ProcessError> {
        for process in [&mut self.etcd, &mut self.api_server, &mut self.controllers].into_iter().flatten() {
            if let Some(status) = process.ended()? {
                return Ok(Some((process.name().to_owned(), status)));
            }
        }
        Ok(None)
    }

    /// A client with all rights. Its connections belong to the async runtime it is made in.
    pub async fn client(&self) -> Result<Client, ControlPlaneError> {
        connect(self.client_config().await?)
    }

    pub(crate) async fn client_config(&self) -> Result<Config, ControlPlaneError> {
        let failed = |source| ControlPlaneError::Kubeconfig { path: self.admin.clone(), source };
        let kubeconfig = Kubeconfig::read_from(&self.admin).map_err(failed)?;
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(failed)
    }

    fn controller_manager_kubeconfig(&self) -> Result<PathBuf, CertificatesError> {
        // Its controllers act as service accounts of their own, whose roles Kubernetes itself defines.
        let proof = self.authority.client("system:kube-controller-manager", &[])?;
        self.authority.kubeconfig("kube-controller-manager", &url(&self.site), "default", &proof)
    }

    /// The kubeconfig of a client with all rights.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin
    }

    /// A kubeconfig with a token of a service account, which must exist: what that account may not do is refused.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<PathBuf, ControlPlaneError> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(TOKEN_SECONDS),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let action = format!("requesting a token for the service account {namespace}/{name}");
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .map_err(ControlPlaneError::request(action))?;
        let proof = Proof::Token(answer.status.and_then(|status| status.token).unwrap_or_default());
        let file = format!("{namespace}-{name}");
        Ok(self.authority.kubeconfig(&file, &url(&self.site), namespace, &proof)?)
    }

    /// The real `kubectl`, with all rights, in the namespace `default`.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        Kubectl {
            program: self.assets.path(assets::Program::Kubectl),
            kubeconfig: self.admin.clone(),
            home: self.folder.clone(),
            namespace: None,
        }
    }

    /// The addresses it runs at, and those that go with it.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Where its programs are.
    #[must_use]
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// A folder for what belongs to this run, such as logs. It goes away with the control plane, unless
    /// `CONTROLPLANE_KEEP` is set.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last lines of every log, to be shown when something failed.
    #[must_use]
    pub fn log_tails(&self) -> String {
        let mut tails = String::new();
        for log in assets::Program::ALL.map(|program| self.log(program.file_name())) {
            if log.exists() {
                let tail = process::tail(&log);
                tails.extend(["--- the end of ", &log.display().to_string(), ":\n", &tail, "\n"]);
            }
        }
        tails
    }

    fn log(&self, program: &str) -> PathBuf {
        self.folder.join(format!("{program}.log"))
    }

    fn etcd_data(&self) -> PathBuf {
        self.folder.join("etcd")
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tails());
        }
    }
}

pub(crate) fn connect(config: Config) -> Result<Client, ControlPlaneError> {
    Client::try_from(config).map_err(ControlPlaneError::request("making a client of the API server"))
}

fn url(site: &Site) -> String {
    format!("https://{}", site.api_server())
}

fn http_get(path: &str) -> http::Request<Vec<u8>> {
    let mut request = http::Request::new(Vec::new());
    *request.uri_mut() = http::Uri::builder().path_and_query(path).build().unwrap_or_default();
    request
}

fn scratch_folder() -> Result<(PathBuf, Option<(Janitor, TempDir)>), ControlPlaneError> {
    let made = tempfile::Builder::new().prefix("controlplane-").tempdir();
    let folder = made.map_err(|source| ControlPlaneError::File {
        action: "making a scratch folder in",
        path: std::env::temp_dir(),
        source,
    })?;
    if std::env::var_os(KEEP).is_some() {
        let kept = folder.keep();
        eprintln!("{KEEP} is set: logs are kept in {}", kept.display());
        return Ok((kept, None));
    }
    let janitor = Janitor::start(folder.path())?;
    Ok((folder.path().to_owned(), Some((janitor, folder))))
}

#[cfg(test)]
mod tests;
