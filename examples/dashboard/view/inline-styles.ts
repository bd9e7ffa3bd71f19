/**
 * xterm.js 6 styles itself with `<style>` elements and `style` attributes, which a Content-Security-Policy without
 * unsafe-inline forbids (xtermjs/xterm.js issue 4445). Constructed style sheets and `element.style` do the same and are
 * allowed. Its option `documentOverride` does not reach all the places where it does so; hence this, for the page.
 */
export function styleWithoutInline(): void {
  const { createElement } = document;
  document.createElement = (tag: string, options?: ElementCreationOptions) =>
    tag === "style" ? sheetElement() : createElement.call(document, tag, options);
  // Of the elements that xterm.js gives the attribute, all are spans.
  HTMLSpanElement.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}

/** In the place of a `<style>`: what is set as its text is a style sheet of the document, until it is removed. */
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
