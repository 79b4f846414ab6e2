//! Settings: as a library takes them, and as a command line spells them.

use crate::clock::Pace;
use crate::dataplane::FirstProbe;
use crate::dataplane::dial::DialTranslation;
use crate::engine::Issuance;
use crate::fault::Rule;
use crate::in_process::Sockets;
use crate::latency::{Distribution, Latency, MethodLatency, OperationLatency};
use crate::metadata::MetadataServer;
use crate::plane::ProgrammingDelay;
use crate::quota::{QuotaSetting, QuotaTold, RateLimit, RateLimits, ResourceQuotas};
use crate::request_log::KeepAnswers;
use crate::span::Span;
use crate::token::{StaticToken, TokenCheck};
use ipnet::Ipv4Net;
use jiff::SignedDuration;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How the emulator is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether the machine's network is used at all.
    pub sockets: Sockets,
    /// Where the API and the admin path listen. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Loopback addresses that forwarding rules are given. Must lie in 127.0.0.0/8.
    pub address_pool: Ipv4Net,
    /// Where instances and pods are really found. The narrowest range that holds an address says what is dialled.
    pub dial: Vec<DialTranslation>,
    /// Added to the port of every forwarding rule, for machines that refuse ports below 1024.
    pub port_offset: u16,
    /// How long operations take.
    pub latency: Latency,
    /// How the emulated cloud's clock goes at the start: as fast as the machine's, faster, or not at all until it is
    /// stepped.
    pub pace: Pace,
    /// Multiplies the intervals of health checks, by the clock; 1 is as the API says, less is faster.
    pub health_time_scale: f64,
    /// When an endpoint is probed for the first time.
    pub first_probe: FirstProbe,
    /// What links in answers begin with, up to the version. Clients compare links from `projects/` on.
    pub link_base: String,
    /// Who operations say has asked for them.
    pub user: String,
    /// How long one `wait` holds the request at most.
    pub wait_limit: Duration,
    /// What happens to an update without a fingerprint.
    pub missing_fingerprint: MissingFingerprint,
    /// How far lists lag behind what `get` shows.
    pub list_lag: Duration,
    /// Whether requests must show a token.
    pub tokens: TokenCheck,
    /// Tokens that are known from the start.
    pub static_tokens: Vec<StaticToken>,
    /// A file with more of them.
    pub token_file: Option<PathBuf>,
    /// The metadata server, if there is to be one.
    pub metadata: Option<MetadataServer>,
    /// How many requests the admin path remembers, of the API, and of load balancers as many.
    pub request_log: usize,
    /// Whether it remembers the answers as well.
    pub request_log_answers: KeepAnswers,
    /// A file that gets a line of JSON for each request.
    pub request_log_file: Option<PathBuf>,
    /// How long operations are found after they have ended, by the clock.
    pub operation_retention: Duration,
    /// How many operations are kept in one place; the oldest that has ended makes room for the next.
    pub operations_kept: usize,
    /// How long after DONE changes are served.
    pub programming_delay: ProgrammingDelay,
    /// When Google-managed certificates are issued.
    pub managed_certificates: Issuance,
    /// What goes wrong on purpose, from the start.
    pub faults: Vec<Rule>,
    /// The same from a file; it comes behind the others.
    pub fault_file: Option<PathBuf>,
    /// The file that the state is kept in; without one it is gone when the process ends.
    pub state: Option<PathBuf>,
    /// How many resources a project may have.
    pub quotas: ResourceQuotas,
    /// How many requests a project may send in a minute.
    pub rates: RateLimits,
}

/// Whether an update or patch must carry the fingerprint of the resource it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MissingFingerprint {
    /// It goes through, as Google's recorded answers show; only a stale one is refused.
    Accept,
    /// 412, as Google's documentation says.
    Refuse,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sockets: Sockets::Open,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            address_pool: Ipv4Net::new_assert(Ipv4Addr::new(127, 240, 0, 0), 16),
            dial: vec![DialTranslation::PODS_AND_NODES],
            port_offset: 0,
            latency: Latency::of(Duration::from_millis(20)),
            pace: Pace::Running(1.0),
            health_time_scale: 1.0,
            first_probe: FirstProbe::default(),
            link_base: "https://www.googleapis.com/compute/".to_owned(),
            user: "user@example.com".to_owned(),
            wait_limit: Duration::from_mins(2),
            missing_fingerprint: MissingFingerprint::Accept,
            list_lag: Duration::ZERO,
            tokens: TokenCheck::Off,
            static_tokens: Vec::new(),
            token_file: None,
            metadata: None,
            request_log: 1000,
            request_log_answers: KeepAnswers::No,
            request_log_file: None,
            operation_retention: Duration::from_hours(14 * 24),
            operations_kept: 20_000,
            programming_delay: ProgrammingDelay::default(),
            managed_certificates: Issuance::ByHand,
            faults: Vec::new(),
            fault_file: None,
            state: None,
            quotas: ResourceQuotas::default(),
            rates: RateLimits::default(),
        }
    }
}

/// The settings of the emulator on a command line.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Address and port of the API and of the admin path /_emulator/
    #[arg(long, env = "GCE_EMULATOR_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// Loopback addresses for forwarding rules
    #[arg(long, env = "GCE_EMULATOR_ADDRESS_POOL", value_name = "CIDR", default_value = "127.240.0.0/16")]
    pub address_pool: Ipv4Net,
    /// Where instances and pods are really dialled (repeatable) [default: 10.0.0.0/8=127.0.0.0/8]
    #[arg(long, env = "GCE_EMULATOR_DIAL", value_name = "CIDR=CIDR", value_delimiter = ',')]
    pub dial: Vec<DialTranslation>,
    /// Added to the ports of forwarding rules, where ports below 1024 are refused
    #[arg(long, env = "GCE_EMULATOR_PORT_OFFSET", value_name = "N", default_value_t = 0)]
    pub port_offset: u16,
    /// How long an operation takes, in milliseconds: 20, or drawn, such as 20..500 or {"median":200,"sigma":0.7}
    #[arg(long, env = "GCE_EMULATOR_OPERATION_LATENCY", value_name = "MS", default_value = "20")]
    pub operation_latency: Distribution,
    /// How long it takes until a call is answered, in milliseconds, written alike
    #[arg(long, env = "GCE_EMULATOR_ANSWER_LATENCY", value_name = "MS", default_value = "0")]
    pub answer_latency: Distribution,
    /// How many seconds pass in the emulated cloud for one of the machine; 0 holds its clock until it is stepped
    #[arg(long, env = "GCE_EMULATOR_TIME_SCALE", value_name = "FACTOR", default_value = "1", value_parser = read_pace)]
    pub time_scale: Pace,
    /// Multiplies the intervals of health checks; less than 1 is faster than real time
    #[arg(long, env = "GCE_EMULATOR_HEALTH_TIME_SCALE", value_name = "FACTOR", default_value_t = 1.0)]
    pub health_time_scale: f64,
    /// When an endpoint is probed for the first time: as early or as late as it can be with Google
    #[arg(long, env = "GCE_EMULATOR_FIRST_PROBE", value_name = "WHEN", value_enum, default_value_t)]
    pub first_probe: FirstProbe,
    /// How long one `wait` for an operation is held at most, in the emulated cloud's time
    #[arg(long, env = "GCE_EMULATOR_WAIT_LIMIT", value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub wait_limit: Duration,
    /// How long operations are found after they have ended, in the emulated cloud's time
    #[arg(
        long,
        env = "GCE_EMULATOR_OPERATION_RETENTION",
        value_name = "TIME",
        default_value = "336h",
        value_parser = duration
    )]
    pub operation_retention: Duration,
    /// How long after its operation is DONE a new forwarding rule serves, in the emulated cloud's time
    #[arg(
        long,
        env = "GCE_EMULATOR_PROGRAMMING_DELAY",
        value_name = "TIME",
        default_value = "0s",
        value_parser = duration
    )]
    pub programming_delay: Duration,
    /// The same for changes of what is served
    #[arg(long, env = "GCE_EMULATOR_CHANGE_DELAY", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub change_delay: Duration,
    /// How long after they were made Google-managed certificates are issued; without it the admin path issues them
    #[arg(long, env = "GCE_EMULATOR_ISSUE_CERTIFICATES_AFTER", value_name = "TIME", value_parser = duration)]
    pub issue_certificates_after: Option<Duration>,
    /// What goes wrong on purpose: a file of rules, in YAML or JSON
    #[arg(long, env = "GCE_EMULATOR_FAULTS", value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// A file that gets a line of JSON for each request
    #[arg(long, env = "GCE_EMULATOR_REQUEST_LOG", value_name = "FILE")]
    pub request_log: Option<PathBuf>,
    /// Keep answers in the request log as well
    #[arg(long, env = "GCE_EMULATOR_LOG_ANSWERS")]
    pub log_answers: bool,
    /// What links in answers begin with, up to the version
    #[arg(
        long,
        env = "GCE_EMULATOR_LINK_BASE",
        value_name = "URL",
        default_value = "https://www.googleapis.com/compute/"
    )]
    pub link_base: String,
    /// What happens to an update without a fingerprint
    #[arg(long, env = "GCE_EMULATOR_MISSING_FINGERPRINT", value_enum, default_value_t = MissingFingerprint::Accept)]
    pub missing_fingerprint: MissingFingerprint,
    /// How far lists lag behind: new resources show so much later, deleted ones stay so much longer
    #[arg(long, env = "GCE_EMULATOR_LIST_LAG", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub list_lag: Duration,
    /// Refuse requests without a valid token (401) and those that their token does not permit (403)
    #[arg(long, env = "GCE_EMULATOR_TOKENS")]
    pub tokens: bool,
    /// Tokens that are valid, and what each permits: a JSON file
    #[arg(long, env = "GCE_EMULATOR_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Where a metadata server listens, which hands out tokens, project and zone [default: none]
    #[arg(long, env = "GCE_EMULATOR_METADATA_LISTEN", value_name = "ADDR:PORT")]
    pub metadata_listen: Option<SocketAddr>,
    /// The project that the metadata server says it is in
    #[arg(long, env = "GCE_EMULATOR_METADATA_PROJECT", value_name = "ID", default_value = "local")]
    pub metadata_project: String,
    /// The zone that the metadata server says it is in
    #[arg(long, env = "GCE_EMULATOR_METADATA_ZONE", value_name = "NAME", default_value = "us-central1-a")]
    pub metadata_zone: String,
    /// How long a token of the metadata server is valid
    #[arg(long, env = "GCE_EMULATOR_TOKEN_LIFETIME", value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub token_lifetime: Duration,
    /// How many resources of a kind a project may have, METRIC=N, or `new-project` for all limits of a new project
    /// (repeatable) [default: more than anybody needs]
    #[arg(long, env = "GCE_EMULATOR_QUOTA", value_name = "METRIC=N", value_delimiter = ',')]
    pub quota: Vec<QuotaSetting>,
    /// When an insert that exceeds a quota is told so
    #[arg(long, env = "GCE_EMULATOR_QUOTA_TOLD", value_enum, default_value_t = QuotaTold::AtOnce)]
    pub quota_told: QuotaTold,
    /// How many requests of a group a project may send in a minute, GROUP=N (repeatable) [default: any number]
    #[arg(long, env = "GCE_EMULATOR_RATE_LIMIT", value_name = "GROUP=N", value_delimiter = ',')]
    pub rate_limit: Vec<RateLimit>,
    /// Keep the state in this file, so that it is there again after a restart [default: in memory only]
    #[arg(long, env = "GCE_EMULATOR_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
}

impl From<Options> for Config {
    fn from(options: Options) -> Self {
        let Options {
            listen,
            address_pool,
            dial,
            port_offset,
            operation_latency,
            answer_latency,
            time_scale,
            health_time_scale,
            first_probe,
            wait_limit,
            operation_retention,
            programming_delay,
            change_delay,
            issue_certificates_after,
            faults,
            request_log,
            log_answers,
            link_base,
            missing_fingerprint,
            list_lag,
            tokens,
            token_file,
            metadata_listen,
            metadata_project,
            metadata_zone,
            token_lifetime,
            quota,
            quota_told,
            rate_limit,
            state,
        } = options;
        let defaults = Self::default();
        let mut quotas = ResourceQuotas::default();
        for setting in &quota {
            quotas.apply(setting);
        }
        quotas.told = quota_told;
        Self {
            listen,
            address_pool,
            dial: if dial.is_empty() { defaults.dial } else { dial },
            port_offset,
            latency: Latency {
                default: MethodLatency {
                    operation: OperationLatency::Whole(operation_latency),
                    answer: answer_latency,
                },
                methods: Vec::new(),
                seed: 0,
            },
            pace: time_scale,
            health_time_scale,
            first_probe,
            wait_limit,
            operation_retention,
            programming_delay: ProgrammingDelay { new: Span(programming_delay), changes: Span(change_delay) },
            managed_certificates: issue_certificates_after.map_or(Issuance::ByHand, Issuance::After),
            fault_file: faults,
            request_log_file: request_log,
            request_log_answers: if log_answers { KeepAnswers::Yes } else { KeepAnswers::No },
            link_base,
            missing_fingerprint,
            list_lag,
            tokens: if tokens { TokenCheck::On } else { TokenCheck::Off },
            token_file,
            metadata: metadata_listen.map(|listen| MetadataServer {
                listen,
                project: metadata_project,
                zone: metadata_zone,
                token_lifetime,
            }),
            quotas,
            rates: RateLimits::of(rate_limit),
            state,
            ..defaults
        }
    }
}

/// A span of time as people write it: `500ms`, `5s`, `1m 30s`.
fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .map_err(|error| error.to_string())
        .and_then(|span| Duration::try_from(span).map_err(|_| "it must not be negative".to_owned()))
        .map_err(|why| format!("write a time like 500ms, 5s or 1m: {why}"))
}

/// `60` or `0`.
fn read_pace(text: &str) -> Result<Pace, String> {
    let scale: f64 = text
        .parse()
        .map_err(|error| format!("{error}; write a factor such as 60, or 0 to hold the clock"))?;
    if scale == 0.0 { Ok(Pace::Held) } else { Pace::running(scale).map_err(|error| error.to_string()) }
}
