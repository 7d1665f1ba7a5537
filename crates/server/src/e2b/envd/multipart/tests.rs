use super::*;
use proptest::prelude::*;

fn form(boundary: &str) -> Form {
    let mut headers = HeaderMap::new();
    let kind = format!("multipart/form-data; boundary={boundary}");
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    Form::of(&headers).unwrap()
}

/// Names and bytes of all parts, however the body is cut.
fn parts(body: &[u8], step: usize) -> Result<Vec<(PartHead, Vec<u8>)>, FormError> {
    let mut form = form("B");
    let mut parts: Vec<(PartHead, Vec<u8>)> = Vec::new();
    for bytes in body.chunks(step.max(1)) {
        form.push(bytes);
        while let Some(piece) = form.next_piece()? {
            match piece {
                Piece::Part(head) => parts.push((head, Vec::new())),
                Piece::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(&data),
                Piece::PartEnd => {}
                Piece::Over => return Ok(parts),
            }
        }
    }
    form.finish()?;
    Ok(parts)
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

#[test]
fn parts_come_out_however_the_body_is_cut() {
    let body = [
        file("a.txt", b"one\r\n--not\r\n"),
        file("b/\u{fc} c", b""),
        file("d", b"\r\n"),
        b"--B--\r\n".to_vec(),
    ]
    .concat();
    for step in 1..body.len() {
        let parts = parts(&body, step).unwrap();
        let got: Vec<_> = parts
            .iter()
            .map(|(head, data)| (head.filename.as_deref().unwrap(), &data[..]))
            .collect();
        assert_eq!(
            got,
            [
                ("a.txt", &b"one\r\n--not\r\n"[..]),
                ("b/\u{fc} c", b""),
                ("d", b"\r\n")
            ],
            "{step}"
        );
    }
}

#[test]
fn names_are_read_as_clients_write_them() {
    for (value, name, filename) in [
        (
            "form-data; name=\"file\"; filename=\"a;b\\\"c\"",
            "file",
            Some("a;b\"c"),
        ),
        ("form-data; name=file", "file", None),
        (
            "form-data; name=\"file\"; filename=\"a%22b\"",
            "file",
            Some("a\"b"),
        ),
        (
            "form-data; name=\"file\"; filename*=UTF-8''%c3%bc.txt",
            "file",
            Some("\u{fc}.txt"),
        ),
    ] {
        let head = disposition(value).unwrap();
        assert_eq!(
            (head.name.as_str(), head.filename.as_deref()),
            (name, filename),
            "{value}"
        );
    }
    assert_eq!(disposition("attachment; name=\"a\""), None);
    assert_eq!(disposition("form-data; name=\"a"), None);
}

#[test]
fn what_is_no_form_is_refused() {
    let long = [b"--B\r\nA: ".to_vec(), vec![b'x'; MAX_HEADER_BYTES + 1]].concat();
    for (body, error) in [
        (b"--B\r\nno header\r\n\r\n".to_vec(), FormError::Headers),
        (b"--B\r\nA: b\r\n\r\n".to_vec(), FormError::Headers),
        (file("a", b"x"), FormError::Cut),
        (b"".to_vec(), FormError::Cut),
        (long, FormError::HeadersTooLong),
    ] {
        assert_eq!(parts(&body, 7).unwrap_err(), error);
    }
    let mut headers = HeaderMap::new();
    for kind in [
        "multipart/form-data",
        "text/plain; boundary=B",
        "multipart/form-data; boundary=",
    ] {
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        assert_eq!(
            Form::of(&headers).unwrap_err(),
            FormError::NoBoundary,
            "{kind}"
        );
    }
}

proptest! {
    #[test]
    fn any_content_comes_back(content in prop::collection::vec(any::<u8>(), 0..200), step in 1usize..50) {
        prop_assume!(memchr::memmem::find(&content, b"\r\n--B").is_none());
        let body = [file("a", &content), b"--B--".to_vec()].concat();
        let parts = parts(&body, step).unwrap();
        prop_assert_eq!(&parts[0].1, &content);
    }

    #[test]
    fn no_bytes_are_held_without_bound(body in prop::collection::vec(any::<u8>(), 0..4096), step in 1usize..64) {
        let mut form = form("B");
        for bytes in body.chunks(step) {
            form.push(bytes);
            while let Ok(Some(_)) = form.next_piece() {}
            prop_assert!(form.waiting.len() <= MAX_HEADER_BYTES + 4 + step + form.delimiter.len());
        }
    }
}
