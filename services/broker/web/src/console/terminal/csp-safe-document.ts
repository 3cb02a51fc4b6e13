/**
 * xterm.js writes its rules into <style> elements and true colours into style attributes, and our content security
 * policy takes neither, for good reason. Scripts may set both in other ways: adopted style sheets, and the style object.
 * So the elements that the document makes from here on take the one way for the other. (`documentOverride` of xterm.js
 * 6.0 would be the place for it, but its scroll bar and its rows ask the real document all the same.)
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

/** Stands where a <style> would stand; what is written into it becomes a style sheet of the document. */
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
