//! Words about processes and streams, proper ones and any others.
//!
//! ```text
//!   starting | running | following     one of the words that a process begins with, of the job's program
//!   started                            all three
//!   unstarted STEP [JSON-STRING]       it does not start, at this step and for this reason
//!   stdout TEXT                        a record of its standard output
//!   ended [JSON]                       its end; the report's fields overlaid with JSON's
//!   finished [JSON]                    the same, and its output's end
//!   cut N | bytewise                   the first N bytes of a whole proper talk; all of it, a byte a write
//!   control TEXT | frame HEX           a control frame with this text, or these bytes
//!   nested N | values N | entries N    one of N times `[`; of N values; of a folder with N empty entries
//!   length N | fill N | hex HEX        the header of a control frame of N bytes; N bytes `A`; bytes without a frame
//!   data STREAM TEXT                   a record of standard output, whatever the credit
//!   raw STREAM HEX | big STREAM N      a data frame with these bytes; with a record of N bytes
//!   end STREAM | refuse STREAM | credit STREAM N
//! ```

use crate::error::Broken;
use crate::honest;
use crate::line::bytes;
use crate::script::{Action, Speaker, number, numbered, unhex};
use protocol::link::{Frame, LinkError};
use protocol::supervisor::{GuestControl, OutputKind};
use serde_json::{Value, json};

/// What each does.
pub const WORDS: &[(&str, Action)] = &[
    ("starting", |speaker, _| {
        let process = speaker.scene.process;
        speaker.line.say(&GuestControl::Starting { process })
    }),
    ("running", |speaker, _| {
        speaker.line.say(&honest::running(speaker.scene.process))
    }),
    ("following", |speaker, _| {
        let stream = speaker.scene.output;
        speaker
            .line
            .say(&GuestControl::Following { stream, from: 0 })
    }),
    ("started", |speaker, _| {
        let mut words = honest::beginning(speaker.scene.process, Some(speaker.scene.output));
        words.try_for_each(|message| speaker.line.say(&message))
    }),
    ("unstarted", unstarted),
    ("stdout", |speaker, rest| {
        let data = honest::record(OutputKind::Stdout, rest.as_bytes());
        speaker.line.put(speaker.scene.output, data)
    }),
    ("ended", ended),
    ("finished", |speaker, rest| {
        ended(speaker, rest)?;
        frame(speaker, Frame::End(speaker.scene.output))
    }),
    ("cut", |speaker, rest| {
        let talk = proper_talk(speaker)?;
        let end = number(rest).min(talk.len());
        speaker.line.shout(&talk[..end]);
        Ok(())
    }),
    ("bytewise", |speaker, _| {
        let talk = proper_talk(speaker)?;
        talk.chunks(1).for_each(|byte| speaker.line.shout(byte));
        Ok(())
    }),
    ("control", |speaker, rest| {
        frame(speaker, Frame::Control(rest.into()))
    }),
    ("frame", |speaker, rest| {
        frame(speaker, Frame::Control(unhex(rest)))
    }),
    ("nested", |speaker, rest| {
        frame(speaker, Frame::Control(vec![b'['; number(rest)]))
    }),
    ("values", |speaker, rest| {
        let text = format!("[{}1]", "1,".repeat(number(rest)));
        frame(speaker, Frame::Control(text.into()))
    }),
    ("entries", |speaker, rest| {
        let entries = vec!["{}"; number(rest)].join(",");
        let answer = format!(r#"{{"type":"entries","entries":[{entries}],"truncated":false}}"#);
        let text = format!(r#"{{"type":"file_done","request":1,"answer":{answer}}}"#);
        frame(speaker, Frame::Control(text.into()))
    }),
    ("length", |speaker, rest| {
        let length = (number(rest) as u32).to_be_bytes();
        speaker.line.shout(&[&length[..], &[0; 5]].concat());
        Ok(())
    }),
    ("fill", |speaker, rest| {
        speaker.line.shout(&vec![b'A'; number(rest)]);
        Ok(())
    }),
    ("hex", |speaker, rest| {
        speaker.line.shout(&unhex(rest));
        Ok(())
    }),
    ("data", |speaker, rest| {
        let (stream, text) = numbered(rest);
        let data = honest::record(OutputKind::Stdout, text.as_bytes());
        frame(speaker, Frame::Data(stream, data))
    }),
    ("raw", |speaker, rest| {
        let (stream, hex) = numbered(rest);
        frame(speaker, Frame::Data(stream, unhex(hex)))
    }),
    ("big", |speaker, rest| {
        let (stream, count) = numbered(rest);
        let data = honest::record(OutputKind::Stdout, &vec![b'A'; number(count)]);
        frame(speaker, Frame::Data(stream, data))
    }),
    ("end", |speaker, rest| {
        frame(speaker, Frame::End(numbered(rest).0))
    }),
    ("refuse", |speaker, rest| {
        frame(speaker, Frame::Refuse(numbered(rest).0))
    }),
    ("credit", |speaker, rest| {
        let (stream, count) = numbered(rest);
        frame(speaker, Frame::Credit(stream, number(count) as u32))
    }),
];

fn frame(speaker: &mut Speaker<'_>, frame: Frame) -> Result<(), Broken> {
    speaker.line.send(&[frame]);
    Ok(())
}

/// A proper report as JSON.
pub fn proper_report() -> String {
    serde_json::to_string(&honest::report()).unwrap_or_default()
}

fn ended(speaker: &mut Speaker<'_>, overlay: &str) -> Result<(), Broken> {
    let report = serde_json::to_value(honest::report());
    let mut report = report.map_err(|error| LinkError::Control {
        reason: error.to_string(),
    })?;
    if let (Value::Object(fields), Ok(Value::Object(own))) =
        (&mut report, serde_json::from_str(overlay))
    {
        fields.extend(own);
    }
    let process = speaker.scene.process;
    let text = json!({ "type": "ended", "process": process, "report": report }).to_string();
    frame(speaker, Frame::Control(text.into()))
}

fn unstarted(speaker: &mut Speaker<'_>, rest: &str) -> Result<(), Broken> {
    let (step, reason) = rest.split_once(' ').unwrap_or((rest, r#""no reason""#));
    let process = speaker.scene.process;
    let text = format!(
        r#"{{"type":"not_started","process":{process},"step":"{step}","reason":{reason}}}"#
    );
    frame(speaker, Frame::Control(text.into()))
}

fn proper_talk(speaker: &Speaker<'_>) -> Result<Vec<u8>, Broken> {
    let talk = honest::talk(speaker.scene.process, speaker.scene.output)?;
    Ok(bytes(&talk))
}
