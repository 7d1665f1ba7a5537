// The doctor's table of this host.
import { ask } from "/assets/api.js";
import { at, cell, element, how, labelled, show, tell, tone } from "/assets/dom.js";

const WORST_FIRST = ["fail", "warn", "pass"];

/** What was seen; where that asks for something also why, and what to do about it. */
function found({ status, seen, why, fix }) {
  return status === "pass" ? seen : cell(element("p", seen), element("p", why, "muted"), fix ? how(fix) : "");
}

function shown(check) {
  const what = found(check);
  return labelled({ check: element("td", check.id, "name"), status: element("td", check.status, tone(check.status)), what });
}

async function examine() {
  at("doctor-run").disabled = true;
  tell("doctor-told", "looking …", "muted");
  try {
    const { checks } = await ask("/api/v1/doctor");
    const worst = ({ status }) => WORST_FIRST.indexOf(status);
    const list = checks.toSorted((a, b) => worst(a) - worst(b));
    at("doctor").replaceChildren(...list.map(shown));
    show("doctor-table", list.length > 0);
    const wrong = list.filter(({ status }) => status !== "pass").length;
    if (list.length === 0) tell("doctor-told", "there is no doctor here; run: llm-firecracker doctor", "warn");
    else tell("doctor-told", wrong ? `${wrong} of ${list.length} checks ask for something` : `all ${list.length} checks pass`, wrong ? "warn" : "good");
  } catch (error) {
    tell("doctor-told", error.message, "bad");
  } finally {
    at("doctor-run").disabled = false;
  }
}

at("doctor-run").addEventListener("click", examine);
