import type { ComponentChild } from 'preact';

/** Stands for an element in the parameters of a message. */
export const elementMark = '\u{FFFC}';

/** The text, with an element in place of the mark. */
export function aroundElement(text: string, element: ComponentChild) {
  const [before, after] = text.split(elementMark);
  return (
    <>
      {before}
      {element}
      {after}
    </>
  );
}
