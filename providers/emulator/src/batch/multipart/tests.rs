use super::*;

const BATCH: &str = "preamble\r\n--b\r\nContent-Type: application/http\r\nContent-ID: <u+1>\r\n\r\n\
    POST /compute/v1/projects/p/global/urlMaps?alt=json HTTP/1.1\r\nContent-Type: application/json\r\n\
    Content-Length: 12\r\nHost: x\r\n\r\n{\"name\":\"u\"}\r\n--b\r\nContent-Type: application/http\r\n\r\n\
    GET https://h/compute/v1/projects/p HTTP/1.1\r\n\r\n--b--\r\nafter";

#[test]
fn two_calls_with_either_line_end() {
    for text in [BATCH.to_owned(), BATCH.replace("\r\n", "\n")] {
        let parts = split(text.as_bytes(), "b").unwrap();
        let first = parts[0].call.as_ref().unwrap();
        assert_eq!(parts[0].id.as_deref(), Some("<u+1>"));
        assert_eq!(
            (&first.method, first.target.as_str()),
            (&Method::POST, "/compute/v1/projects/p/global/urlMaps?alt=json")
        );
        assert_eq!(first.body, b"{\"name\":\"u\"}");
        assert_eq!(first.headers["host"], "x");
        let second = parts[1].call.as_ref().unwrap();
        assert_eq!((parts[1].id.as_deref(), second.target.as_str()), (None, "/compute/v1/projects/p"));
        assert_eq!(parts.len(), 2);
    }
}

#[test]
fn the_boundary_of_a_content_type() {
    for (text, expected) in [
        ("multipart/mixed; boundary=b", Some("b")),
        ("Multipart/Mixed; charset=x; Boundary=\"==b c\"", Some("==b c")),
        ("multipart/mixed", None),
        ("multipart/mixed; boundary=", None),
        ("multipart/form-data; boundary=b", None),
        ("application/json", None),
        ("", None),
    ] {
        assert_eq!(boundary(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn what_is_no_batch_is_refused() {
    for (text, error) in [
        ("", MultipartError::NoBoundary),
        ("--c\n\n--c--", MultipartError::NoBoundary),
        ("--b\n\n", MultipartError::Unclosed),
        ("--b\nno header\n\n--b--", MultipartError::PartHeaders),
    ] {
        assert_eq!(split(text.as_bytes(), "b").map(|parts| parts.len()), Err(error), "{text}");
    }
    assert_eq!(split(b"--b--", "b").map(|parts| parts.len()), Ok(0));
}

#[test]
fn a_part_that_is_no_call_says_why() {
    let call = |text: &str| {
        let text = format!("--b\n{text}\n--b--");
        split(text.as_bytes(), "b").unwrap().remove(0).call.err()
    };
    let http = "Content-Type: application/http\n\n";
    assert_eq!(call("Content-Type: text/plain\n\nGET /x HTTP/1.1\n\n"), Some(PartError::ContentType));
    assert_eq!(call(&format!("{http}GET")), Some(PartError::RequestLine));
    assert_eq!(call(&format!("{http}GET x HTTP/1.1")), Some(PartError::RequestLine));
    assert_eq!(call(&format!("{http}GET /x HTTP/2")), Some(PartError::RequestLine));
    assert_eq!(call(&format!("{http}GET /x HTTP/1.1\nnone\n\n")), Some(PartError::Headers));
    assert_eq!(call(&format!("{http}GET /x HTTP/1.1\nContent-Length: 9\n\nabc")), Some(PartError::ShortBody));
    assert_eq!(call(&format!("{http}GET /x HTTP/1.1\nA: b\n\nabc")), None);
}
