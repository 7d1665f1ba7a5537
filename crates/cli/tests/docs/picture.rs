//! The pages' pictures in headless Chromium, on light and on dark ground: each text is within the picture and within its
//! box, with room for a wider font, runs into no other, and stands out from what is behind it.

use crate::pages::repository;
use std::path::{Path, PathBuf};
use std::process::Command;

/// GitHub's own colours behind a page, by Chromium's numbers of the schemes.
const SCHEMES: &[(&str, &str, &str)] = &[("light", "1", "#ffffff"), ("dark", "0", "#0d1117")];

/// Measures the picture and writes what is wrong with it into the page, a line each.
const MEASURE: &str = r#"
const WIDER = 1.08, CONTRAST = 4.5;
const box = (node, wider) => {
  const { x, y, width, height } = node.getBoundingClientRect();
  const more = width * (wider - 1), part = { start: 0, middle: 0.5, end: 1 }[getComputedStyle(node).textAnchor];
  return { left: x - more * part, right: x + width + more * (1 - part), top: y, bottom: y + height };
};
const within = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
const apart = (a, b) => a.right <= b.left || a.left >= b.right || a.bottom <= b.top || a.top >= b.bottom;
const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
const luminance = (colour) => {
  const [r, g, b] = channels(colour).map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const faults = [];
const svg = document.querySelector("svg");
const texts = [...svg.querySelectorAll("text")];
const rects = [...svg.querySelectorAll("rect")];
const ground = getComputedStyle(document.body).backgroundColor;
texts.forEach((text, index) => {
  const words = JSON.stringify(text.textContent), at = box(text, WIDER);
  if (!within(at, box(svg, 1))) faults.push(`${words} leaves the picture`);
  for (const other of texts.slice(0, index))
    if (!apart(box(text, 1), box(other, 1))) faults.push(`${words} runs into ${JSON.stringify(other.textContent)}`);
  let behind = ground;
  for (const rect of rects) {
    const around = box(rect, 1);
    if (within(at, around)) {
      const fill = getComputedStyle(rect).fill;
      if (fill !== "none") behind = fill;
    } else if (!apart(at, around)) faults.push(`${words} is over the edge of its box`);
  }
  const [light, dark] = [luminance(getComputedStyle(text).fill), luminance(behind)].sort((a, b) => b - a);
  const contrast = (light + 0.05) / (dark + 0.05);
  if (contrast < CONTRAST) faults.push(`${words} has contrast ${contrast.toFixed(1)} to ${behind}`);
});
const told = document.createElement("pre");
told.id = "told";
told.textContent = `${texts.length} texts\n${faults.join("\n")}`;
document.body.append(told);
"#;

/// The pictures that pages show.
fn pictures() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository().join("docs")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let mut pictures: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "svg"))
        .collect();
    pictures.sort();
    pictures
}

/// Chromium's page after its scripts, and a picture of it; `None` where there is no Chromium.
fn shown(page: &Path, scheme: &str, shot: &Path) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let done = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args(["--no-first-run", "--window-size=800,900", "--dump-dom"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--screenshot={}", shot.display()))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(page)
        .output();
    let Ok(done) = done else {
        let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
        assert!(!required, "not run: chromium is not installed");
        println!("not run: chromium is not installed");
        return None;
    };
    let dom = String::from_utf8(done.stdout).unwrap();
    let told = dom.split_once("<pre id=\"told\">").map(|(_, told)| told);
    let told = told.and_then(|told| told.split_once("</pre>"));
    let said = String::from_utf8_lossy(&done.stderr);
    let (told, _) = told.unwrap_or_else(|| panic!("nothing was measured: {dom}\n{said}"));
    Some(told.to_owned())
}

#[test]
fn every_text_of_a_picture_fits_its_box_and_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let shots = shots.join("artifacts/screenshots");
    std::fs::create_dir_all(&shots).unwrap();
    let pictures = pictures();
    assert!(!pictures.is_empty());
    for picture in &pictures {
        let svg = std::fs::read_to_string(picture).unwrap();
        let name = picture.file_stem().unwrap().to_string_lossy();
        for (scheme, number, ground) in SCHEMES {
            let page = folder.path().join(format!("{name}-{scheme}.html"));
            let html = format!(
                "<!doctype html><meta charset=utf-8><body style=\"margin:0;background:{ground}\">\
                 <div style=\"width:760px\">{svg}</div><script>{MEASURE}</script>"
            );
            std::fs::write(&page, html).unwrap();
            let shot = shots.join(format!("docs-{name}-{scheme}.png"));
            let Some(told) = shown(&page, number, &shot) else {
                return;
            };
            let (texts, faults) = told.split_once('\n').unwrap();
            assert!(faults.is_empty(), "{name}, {scheme}:\n{faults}");
            println!("{name}, {scheme}: {texts}");
        }
    }
}
