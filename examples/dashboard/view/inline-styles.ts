/**
 * xterm.js 6 styles itself with `<style>` elements and `style` attributes, which a Content-Security-Policy without
 * unsafe-inline forbids (xtermjs/xterm.js issue 4445). The policy allows constructed style sheets and `element.style`, which
 * have the same effect. xterm.js's option `documentOverride` does not cover all its uses, so the whole page is patched.
 */
export function styleWithoutInline(): void {
  const { createElement } = document;
  document.createElement = (tag: string, options?: ElementCreationOptions) =>
    tag === "style" ? sheetElement() : createElement.call(document, tag, options);
  // xterm.js sets the attribute on spans only.
  HTMLSpanElement.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}

/** Replaces a `<style>`: its text becomes a style sheet of the document, until the element is removed. */
function sheetElement(): HTMLElement {
  const element = document.createElement("template");
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
