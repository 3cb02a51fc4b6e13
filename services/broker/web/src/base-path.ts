/** The path of Porthole's public URL, with a slash at its end. The broker writes it into the pages. */
export const basePath = typeof document === 'undefined' ? '/' : new URL(document.baseURI).pathname;
