/**
 * Makes xterm.js work with the pages' content security policy. xterm.js writes rules into <style> elements and colours
 * into style attributes, which the policy forbids. Adopted style sheets and the style object are allowed, so elements
 * that the document creates from now on use these instead. The option `documentOverride` of xterm.js 6.0 does not help:
 * its scroll bar and its rows use the global document anyway.
 */
export function makeDocumentCspSafe(page: Document): void {
  Object.defineProperty(page, 'createElement', {
    value(name: string, options?: ElementCreationOptions): HTMLElement {
      if (name === 'style') return createSheetElement(page);
      const element = Document.prototype.createElement.call(page, name, options);
      if (name === 'span') element.setAttribute = setAttribute;
      return element;
    },
  });
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** Replaces a <style> element: its text becomes a style sheet of the document. */
function createSheetElement(page: Document): HTMLElement {
  const element = Document.prototype.createElement.call(page, 'span');
  element.hidden = true;
  const sheet = new CSSStyleSheet();
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  Object.defineProperty(element, 'textContent', {
    set(text: string | null) {
      sheet.replaceSync(text ?? '');
    },
    get: () => '',
  });
  return element;
}
