//! HTTP beside the WebSocket: versions, keep-alive, health and metrics.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::desk::{Desk, PASSWORD, clear, read_all, server, soon, tls};

#[tokio::test]
async fn alpn_chooses_http_2_for_rest_and_http_1_for_who_offers_nothing() {
    let server = server(&[]).await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&["http/1.1"][..], Some(&b"http/1.1"[..])),
        (&[][..], None),
    ] {
        let stream = tls(server.https, offered).await;
        let tls = stream.get_ref().1;
        assert_eq!(tls.alpn_protocol(), chosen);
        // Ours comes first, whatever the client would rather have.
        let suite = tls.negotiated_cipher_suite().map(|suite| suite.suite());
        assert_eq!(suite, Some(rustls::CipherSuite::TLS13_AES_128_GCM_SHA256));
    }
    let stream = TokioIo::new(tls(server.https, &["h2"]).await);
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut ask = async |path: &str| {
        let uri = format!("https://cc.test{path}");
        let request = http::Request::get(uri).body(Body::empty()).unwrap();
        let response = soon("answer", send.send_request(request)).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let (status, body) = ask("/finesse/api/SystemInfo").await;
    assert!(status == 200 && body.contains("IN_SERVICE"), "{status} {body}");
    // There is no upgrade in HTTP/2, and the answer says so.
    let (status, body) = ask("/ws/").await;
    assert!(status == 426 && body.contains("HTTP/1.1"), "{status} {body}");
    connection.abort();
    server.stop().await;
}

#[tokio::test]
async fn http_1_0_ends_after_one_answer_and_keeps_alive_when_asked() {
    let server = server(&[]).await;
    let get = "GET /finesse/api/SystemInfo HTTP/1.";
    let alive = "Connection: keep-alive\r\n";
    let close = "Connection: close\r\n";
    for (requests, answers) in [
        (vec![format!("{get}0\r\n\r\n"), format!("{get}0\r\n\r\n")], 1),
        (vec![format!("{get}0\r\n{alive}\r\n"), format!("{get}0\r\n\r\n")], 2),
        (
            vec![format!("{get}1\r\nHost: h\r\n\r\n"), format!("{get}1\r\nHost: h\r\n{close}\r\n")],
            2,
        ),
        (vec![format!("{get}1\r\nHost: h\r\n{close}\r\n"), format!("{get}0\r\n\r\n")], 1),
    ] {
        let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
        stream.write_all(requests.concat().as_bytes()).await.unwrap();
        let all = read_all(&mut stream).await;
        assert_eq!(all.matches(" 200 OK\r\n").count(), answers, "{requests:?} gave {all}");
        assert_eq!(all.matches("</SystemInfo>").count(), answers, "{all}");
    }
    server.stop().await;
}

#[tokio::test]
async fn health_and_metrics_are_for_this_machine_or_an_administrator() {
    let server = server(&[]).await;
    let _desk = Desk::login(clear(&server), "1001", "desk").await;
    let basic = |user: &str, password: &str| {
        let blob = STANDARD.encode(format!("{user}:{password}"));
        format!("X-Forwarded-For: 192.0.2.1\r\nAuthorization: Basic {blob}\r\n")
    };
    for (path, headers, status, words) in [
        ("/healthz", String::new(), 200, "ok"),
        ("/metrics", String::new(), 200, "aplomb_sessions 1\n"),
        ("/metrics", String::new(), 200, "aplomb_logins_total{result=\"ok\"} 1\n"),
        ("/metrics", "X-Forwarded-For: 192.0.2.1\r\n".to_owned(), 401, "WWW-Authenticate"),
        ("/healthz", "Forwarded: for=192.0.2.1\r\n".to_owned(), 401, ""),
        ("/metrics", basic("admin", PASSWORD), 200, "aplomb_sessions"),
        ("/metrics", basic("admin", "wrong"), 401, ""),
        ("/metrics", basic("1001", PASSWORD), 403, ""),
    ] {
        let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
        let request = format!("GET {path} HTTP/1.0\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let all = read_all(&mut stream).await;
        assert!(all.starts_with(&format!("HTTP/1.0 {status} ")), "{path} {headers}: {all}");
        assert!(all.to_lowercase().contains(&words.to_lowercase()), "{path} {headers}: {all}");
    }
    server.stop().await;
}

#[tokio::test]
async fn metrics_take_no_password_in_clear_text() {
    let server = server(&[("plain-without-tls", "false")]).await;
    let blob = STANDARD.encode(format!("admin:{PASSWORD}"));
    for (headers, status, over_tls) in [
        (String::new(), 200, 200),
        ("X-Real-IP: 192.0.2.1\r\n".to_owned(), 403, 401),
        (format!("X-Real-IP: 192.0.2.1\r\nAuthorization: Basic {blob}\r\n"), 403, 200),
    ] {
        let request = format!("GET /metrics HTTP/1.0\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let all = read_all(&mut stream).await;
        assert!(all.starts_with(&format!("HTTP/1.0 {status} ")), "{headers}: {all}");
        let mut stream = tls(server.https, &["http/1.1"]).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let all = read_all(&mut stream).await;
        assert!(all.starts_with(&format!("HTTP/1.0 {over_tls} ")), "{headers}: {all}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_two_servers_could_read_differently_gets_one_answer_and_an_end() {
    let server = server(&[]).await;
    let blob = STANDARD.encode(format!("1001:{PASSWORD}"));
    let put = format!(
        "PUT /finesse/api/User/1001 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {blob}\r\n\
         Content-Type: application/xml\r\n"
    );
    let chunked = "Transfer-Encoding: chunked\r\n";
    let login = "<User><state>LOGIN</state><extension>1001</extension></User>";
    let chunks = format!("{:x}\r\n{login}\r\n0\r\n\r\n", login.len());
    let get = "GET /finesse/api/SystemInfo HTTP/1.1\r\n";
    for (request, status) in [
        (format!("{get}\r\n"), 400),
        (format!("{get}Host: h\r\nHost: h\r\n\r\n"), 400),
        (format!("{get}Host: h\r\nHost: i\r\n\r\n"), 400),
        (format!("{put}{chunked}\r\nzz\r\n<User/>\r\n0\r\n\r\n"), 400),
        (format!("{put}{chunked}\r\n-1\r\n<User/>\r\n0\r\n\r\n"), 400),
        (format!("{put}{chunked}\r\n11111111111111111\r\n<User/>\r\n0\r\n\r\n"), 400),
        (format!("{put}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400),
        (format!("{put}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 400),
        // RFC 9112 §6.3 lets a server take the chunks if it ends the connection afterwards. hyper
        // does, and does not show us that there was a length.
        (format!("{put}Content-Length: 3\r\n{chunked}\r\n{chunks}"), 202),
        (format!("{put}{chunked}Content-Length: 3\r\n\r\n{chunks}"), 202),
    ] {
        let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
        let both = format!("{request}{get}Host: h\r\n\r\n");
        stream.write_all(both.as_bytes()).await.unwrap();
        let all = read_all(&mut stream).await;
        assert!(all.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{request}: {all}");
    }
    server.stop().await;
}
