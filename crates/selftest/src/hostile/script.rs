//! The attacks on the host through the channel: one line, one thing to do.
//!
//! ```text
//!   started [compile|execute]   a proper Started (default: execute)
//!   stdout TEXT                 a proper Stdout
//!   finished [JSON]             a proper Finished, its fields overlaid with JSON's
//!   say JSON                    a frame with exactly these bytes; $TRACE is the job's trace id
//!   frame HEX                   a frame with exactly these bytes
//!   hex HEX                     bytes without a frame
//!   length N                    a header that announces N bytes
//!   fill N                      N bytes `A`
//!   nest N                      a frame of N times `[`
//!   maps N                      a proper Finished with N maps of one empty string in it
//!   chunk N                     a Stdout with N bytes in it
//!   artifact JSON-STRING        an artifact of this path
//!   artifact-long N             an artifact with a path of N bytes
//!   artifacts N BYTES           N artifacts of BYTES each
//!   cut N                       the first N bytes of a proper talk
//!   bytewise                    a proper talk, a byte a write
//!   flood [tiny|stderr|junk]    output until the host hangs up or ends the VM
//!   console                     the same to the serial console
//!   write PATH TEXT             writes to a file of this guest's kernel, if it has it
//!   silence                     nothing any more
//!   close | reset | halt | panic  hang up; reboot; power off; let PID 1 die
//! ```

use crate::boot::complain;
use crate::channel::Channel;
use crate::error::{Broken, Tried as _};
use crate::honest;
use nix::sys::reboot::{RebootMode, reboot};
use protocol::frame::encode;
use protocol::wire::{GuestMessage, MAX_CHUNK_BYTES, Phase, RunRequest};
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;

/// Carries out every line.
pub fn carry_out(script: &str, request: &RunRequest, channel: &mut Channel) -> Result<(), Broken> {
    for (index, line) in script.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let did = speak(verb, rest, request, channel).or_else(|| act(verb, rest, channel));
        match did {
            Some(result) => result?,
            None => {
                return Err(Broken::Script {
                    number: index + 1,
                    line: line.into(),
                    why: "no such thing to do",
                });
            }
        }
    }
    Ok(())
}

/// Lines that say something about the job.
fn speak(
    verb: &str,
    rest: &str,
    request: &RunRequest,
    channel: &mut Channel,
) -> Option<Result<(), Broken>> {
    Some(match verb {
        "started" => channel.say(&GuestMessage::Started {
            phase: match rest {
                "compile" => Phase::Compile,
                _ => Phase::Execute,
            },
        }),
        "stdout" => channel.say(&GuestMessage::Stdout {
            data: rest.as_bytes().into(),
        }),
        "finished" => twisted_report(rest, request).and_then(|body| send_body(&body, channel)),
        "maps" => {
            let maps = vec![r#"{"":""}"#; number(rest)].join(",");
            let overlay = format!(r#"{{"session":{{"results":[{maps}],"error":null}}}}"#);
            twisted_report(&overlay, request).and_then(|body| send_body(&body, channel))
        }
        "say" => send_body(
            rest.replace("$TRACE", &request.trace_id).as_bytes(),
            channel,
        ),
        "cut" => proper_talk(request).and_then(|talk| {
            let end = number(rest).min(talk.len());
            channel.shout(&talk[..end])
        }),
        "bytewise" => proper_talk(request)
            .and_then(|talk| talk.chunks(1).try_for_each(|byte| channel.shout(byte))),
        _ => return None,
    })
}

/// Lines that need to know nothing.
fn act(verb: &str, rest: &str, channel: &mut Channel) -> Option<Result<(), Broken>> {
    Some(match verb {
        "frame" => send_body(&unhex(rest), channel),
        "hex" => channel.shout(&unhex(rest)),
        "length" => channel.shout(&(number(rest) as u32).to_be_bytes()),
        "fill" => channel.shout(&vec![b'A'; number(rest)]),
        "nest" => send_body(&vec![b'['; number(rest)], channel),
        "chunk" => channel.say(&GuestMessage::Stdout {
            data: vec![b'A'; number(rest)].into(),
        }),
        "artifact" => send_body(
            format!(r#"{{"type":"artifact","path":{rest},"data":"QQ==","last":true}}"#).as_bytes(),
            channel,
        ),
        "artifact-long" => artifact(&"x".repeat(number(rest)), 1, channel),
        "artifacts" => artifacts(rest, channel),
        "flood" => flood(rest, channel),
        "console" => flood_console(),
        "write" => {
            let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
            if let Err(error) = std::fs::write(path, text) {
                complain(&format_args!("{path}: {error}"));
            }
            Ok(())
        }
        "silence" => loop {
            nix::unistd::pause();
        },
        "close" => {
            channel.hang_up();
            Ok(())
        }
        "reset" => end(RebootMode::RB_AUTOBOOT),
        "halt" => end(RebootMode::RB_POWER_OFF),
        "panic" => std::process::exit(1),
        _ => return None,
    })
}

fn number(text: &str) -> usize {
    text.trim().parse().unwrap_or(0)
}

/// Pairs of digits; anything else is left out, so that files can be laid out for reading.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn send_body(body: &[u8], channel: &mut Channel) -> Result<(), Broken> {
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    channel.shout(&frame)
}

fn proper_talk(request: &RunRequest) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    for message in honest::talk(request) {
        bytes.extend(encode(&message)?);
    }
    Ok(bytes)
}

/// A report with some fields replaced by what no report should say.
fn twisted_report(overlay: &str, request: &RunRequest) -> Result<Vec<u8>, Broken> {
    let proper = GuestMessage::Finished(Box::new(honest::report(request)));
    let mut report = serde_json::to_value(&proper).map_err(protocol::frame::FrameError::Body)?;
    if let (Value::Object(fields), Ok(Value::Object(own))) =
        (&mut report, serde_json::from_str(overlay))
    {
        fields.extend(own);
    }
    Ok(report.to_string().into_bytes())
}

fn artifact(path: &str, bytes: usize, channel: &mut Channel) -> Result<(), Broken> {
    let mut left = bytes;
    loop {
        let now = left.min(MAX_CHUNK_BYTES);
        left -= now;
        channel.say(&GuestMessage::Artifact {
            path: path.into(),
            data: vec![b'A'; now].into(),
            last: left == 0,
        })?;
        if left == 0 {
            return Ok(());
        }
    }
}

fn artifacts(rest: &str, channel: &mut Channel) -> Result<(), Broken> {
    let (count, bytes) = rest.split_once(' ').unwrap_or((rest, "1"));
    (0..number(count)).try_for_each(|n| artifact(&format!("file-{n}"), number(bytes), channel))
}

fn flood(kind: &str, channel: &mut Channel) -> Result<(), Broken> {
    let once = match kind {
        "tiny" => GuestMessage::Stdout {
            data: b"A".as_slice().into(),
        },
        "stderr" => GuestMessage::Stderr {
            data: vec![b'A'; MAX_CHUNK_BYTES].into(),
        },
        _ => GuestMessage::Stdout {
            data: vec![b'A'; MAX_CHUNK_BYTES].into(),
        },
    };
    let mut bytes = encode(&once)?;
    if kind == "junk" {
        bytes = vec![0xff; MAX_CHUNK_BYTES];
    }
    while channel.is_heard(&bytes) {}
    Ok(())
}

fn flood_console() -> Result<(), Broken> {
    let mut console = File::options()
        .write(true)
        .open("/dev/console")
        .tried("open /dev/console")?;
    let line = [b"\x1b[31mA flood of the console \xff\n".as_slice(); 64].concat();
    loop {
        console.write_all(&line).tried("write /dev/console")?;
    }
}

fn end(mode: RebootMode) -> Result<(), Broken> {
    match reboot(mode) {
        Ok(never) => match never {},
        Err(errno) => Err(errno).tried("reboot"),
    }
}
