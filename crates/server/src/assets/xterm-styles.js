// xterm.js writes the sheets of its rows into style elements, and colours beyond the palette into style attributes. The
// page's policy forbids both, even an empty element, for markup that came in somehow would do the same; scripts may set
// styles through the CSSOM. So both go that way here: a sheet is constructed, an attribute is set as declarations.

/** Stands where a style element would. */
class Sheet extends HTMLElement {
  #sheet = new CSSStyleSheet();

  get textContent() {
    return "";
  }

  set textContent(text) {
    this.#sheet.replaceSync(text);
  }

  connectedCallback() {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }

  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((own) => own !== this.#sheet);
  }
}

customElements.define("xterm-sheet", Sheet);

document.createElement = function (name, options) {
  return Document.prototype.createElement.call(this, name === "style" ? "xterm-sheet" : name, options);
};

HTMLSpanElement.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
