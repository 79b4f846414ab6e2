//! Whether an attempt that went badly is worth another.

use std::time::Duration;

use http::{Response, StatusCode};

use super::forward::ForwardError;
use crate::dataplane::program::RetryCondition;

/// The wait before the first retry; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// How long to wait before retry `number`, counted from 0.
pub(super) fn wait(number: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1_u32.checked_shl(number).unwrap_or(u32::MAX)).min(LONGEST_WAIT)
}

/// Whether one of the conditions speaks of an answer.
pub(super) fn answered<B>(conditions: &[RetryCondition], response: &Response<B>) -> bool {
    let status = response.status();
    conditions.iter().any(|condition| match condition {
        RetryCondition::ServerError => status.is_server_error(),
        RetryCondition::GatewayError => matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        ),
        RetryCondition::Conflict => status == StatusCode::CONFLICT,
        RetryCondition::GrpcStatus(wanted) => response
            .headers()
            .get("grpc-status")
            .and_then(|value| value.to_str().ok()?.parse::<u8>().ok())
            .is_some_and(|status| status == *wanted),
        RetryCondition::ConnectFailure | RetryCondition::Reset | RetryCondition::RefusedStream => false,
    })
}

/// Whether one of the conditions speaks of an attempt that got no answer.
pub(super) fn failed(conditions: &[RetryCondition], error: &ForwardError) -> bool {
    let (connecting, refused) = match error {
        ForwardError::Firewall | ForwardError::Refused(_) | ForwardError::Connect(_) => (true, false),
        ForwardError::Exchange(error) => (false, refused_stream(error)),
        ForwardError::Timeout | ForwardError::BrokenOff => (false, false),
        // Another attempt would find the same.
        ForwardError::NoHealthyBackend | ForwardError::Unsendable(_) | ForwardError::UnaskedUpgrade => {
            return false;
        }
    };
    conditions.iter().any(|condition| match condition {
        RetryCondition::ServerError | RetryCondition::GatewayError => true,
        RetryCondition::ConnectFailure => connecting,
        RetryCondition::Reset => !connecting,
        RetryCondition::RefusedStream => refused,
        RetryCondition::Conflict | RetryCondition::GrpcStatus(_) => false,
    })
}

fn refused_stream(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<h2::Error>())
        .is_some_and(|error| error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_worth_another_attempt() {
        use RetryCondition::{Conflict, ConnectFailure, GatewayError, GrpcStatus, ServerError};
        let response = |status: u16, grpc: Option<&str>| {
            let mut builder = Response::builder().status(status);
            if let Some(grpc) = grpc {
                builder = builder.header("grpc-status", grpc);
            }
            builder.body(()).unwrap()
        };
        for (condition, status, grpc, expected) in [
            (ServerError, 500, None, true),
            (ServerError, 499, None, false),
            (GatewayError, 500, None, false),
            (GatewayError, 502, None, true),
            (GatewayError, 503, None, true),
            (GatewayError, 504, None, true),
            (GatewayError, 505, None, false),
            (Conflict, 409, None, true),
            (Conflict, 404, None, false),
            (ConnectFailure, 503, None, false),
            (GrpcStatus(14), 200, Some("14"), true),
            (GrpcStatus(14), 200, Some("4"), false),
            (GrpcStatus(14), 200, None, false),
        ] {
            assert_eq!(answered(&[condition], &response(status, grpc)), expected, "{condition:?} {status}");
        }
        assert!(!answered(&[], &response(503, None)));
    }

    #[test]
    fn failures_worth_another_attempt() {
        use RetryCondition::{Conflict, ConnectFailure, GatewayError, RefusedStream, Reset, ServerError};
        for (error, worth) in [
            (ForwardError::Firewall, &[ServerError, GatewayError, ConnectFailure][..]),
            (ForwardError::Timeout, &[ServerError, GatewayError, Reset]),
            (ForwardError::NoHealthyBackend, &[]),
        ] {
            for condition in [ServerError, GatewayError, ConnectFailure, Reset, RefusedStream, Conflict] {
                assert_eq!(failed(&[condition], &error), worth.contains(&condition), "{error} {condition:?}");
            }
        }
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        assert_eq!([0, 1, 2, 3, 4, 40].map(|n| wait(n).as_millis()), [25, 50, 100, 200, 250, 250]);
    }
}
