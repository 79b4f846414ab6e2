//! The keys and certificates of one control plane, made anew each time it starts.
//!
//! Nothing here is secret beyond the run: the folder is removed with the control plane. Even so no key is printed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

/// Making or storing a key or certificate failed.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// The certificate library refused.
    #[error("making the certificate of {subject} failed")]
    Make {
        /// Whose.
        subject: String,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// The file system refused.
    #[error("writing {} failed", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// The certificate authority of one control plane, and the folder everything it makes is stored in.
pub(crate) struct Authority {
    folder: PathBuf,
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A certificate and its key, as files.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// How a client proves to the API server who it is.
#[derive(Clone)]
pub(crate) enum Proof {
    /// A certificate and its key, as PEM.
    Certificate { certificate: String, key: String },
    /// A service account's token.
    Token(String),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Certificate { .. } => "Certificate(redacted)",
            Self::Token(_) => "Token(redacted)",
        })
    }
}

impl Authority {
    /// Makes the authority, and stores its certificate as `ca.crt`.
    pub(crate) fn new(folder: &Path) -> Result<Self, CertificatesError> {
        let subject = "the test control plane's authority";
        let made = |source| CertificatesError::Make { subject: subject.into(), source };
        let mut parameters = CertificateParams::new(Vec::new()).map_err(made)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, subject);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(made)?;
        let certificate = parameters.self_signed(&key).map_err(made)?.pem();
        let authority = Self { folder: folder.to_owned(), certificate, issuer: Issuer::new(parameters, key) };
        write(&authority.certificate_file(), &authority.certificate)?;
        Ok(authority)
    }

    /// Where the authority's own certificate is.
    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// A server's certificate for an address and some names.
    pub(crate) fn server(
        &self,
        name: &str,
        address: IpAddr,
        hosts: &[&str],
    ) -> Result<Files, CertificatesError> {
        let names = hosts.iter().map(ToString::to_string).chain([address.to_string()]).collect();
        let (certificate, key) = self.sign(name, &[], names, ExtendedKeyUsagePurpose::ServerAuth)?;
        self.store(name, &certificate, &key)
    }

    /// A client's certificate: Kubernetes takes the user from the common name and the groups from the organisations.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Result<Proof, CertificatesError> {
        let (certificate, key) = self.sign(user, groups, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Proof::Certificate { certificate, key })
    }

    /// The key pair that service account tokens are signed with: (public, private).
    pub(crate) fn service_account_keys(&self) -> Result<(PathBuf, PathBuf), CertificatesError> {
        let made = |source| CertificatesError::Make { subject: "service accounts".into(), source };
        let key = KeyPair::generate().map_err(made)?;
        let (public, private) = (self.folder.join("sa.pub"), self.folder.join("sa.key"));
        write(&public, &key.public_key_pem())?;
        write(&private, &key.serialize_pem())?;
        Ok((public, private))
    }

    /// Writes a kubeconfig for a client of the API server at `server`, and returns where it is.
    pub(crate) fn kubeconfig(
        &self,
        name: &str,
        server: &str,
        namespace: &str,
        proof: &Proof,
    ) -> Result<PathBuf, CertificatesError> {
        let encode = |text: &str| STANDARD.encode(text);
        let user = match proof {
            Proof::Certificate { certificate, key } => {
                json!({ "client-certificate-data": encode(certificate), "client-key-data": encode(key) })
            }
            Proof::Token(token) => json!({ "token": token }),
        };
        let cluster = json!({ "server": server, "certificate-authority-data": encode(&self.certificate) });
        // JSON is YAML too, and every reader of kubeconfigs takes it.
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "controlplane", "cluster": cluster }],
            "users": [{ "name": name, "user": user }],
            "contexts": [{
                "name": "controlplane",
                "context": { "cluster": "controlplane", "user": name, "namespace": namespace },
            }],
            "current-context": "controlplane",
        });
        let path = self.folder.join(format!("{name}.kubeconfig"));
        write(&path, &format!("{config:#}\n"))?;
        Ok(path)
    }

    fn sign(
        &self,
        common_name: &str,
        organisations: &[&str],
        names: Vec<String>,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<(String, String), CertificatesError> {
        let made = |source| CertificatesError::Make { subject: common_name.to_owned(), source };
        let mut parameters = CertificateParams::new(names).map_err(made)?;
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        for organisation in organisations {
            parameters.distinguished_name.push(DnType::OrganizationName, *organisation);
        }
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        let key = KeyPair::generate().map_err(made)?;
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(made)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    fn store(&self, name: &str, certificate: &str, key: &str) -> Result<Files, CertificatesError> {
        let files = Files {
            certificate: self.folder.join(format!("{name}.crt")),
            key: self.folder.join(format!("{name}.key")),
        };
        write(&files.certificate, certificate)?;
        write(&files.key, key)?;
        Ok(files)
    }
}

fn write(path: &Path, text: &str) -> Result<(), CertificatesError> {
    let written = || -> io::Result<()> {
        // Written anew each time: the permissions given here hold only for a file that is created.
        if path.exists() {
            fs::remove_file(path)?;
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
    };
    written().map_err(|source| CertificatesError::Write { path: path.to_owned(), source })
}
