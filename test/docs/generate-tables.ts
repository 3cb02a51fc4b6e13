import { writeFileSync } from 'node:fs';
import { readPages, renderPage } from './pages.ts';

/** `npm run docs:tables`: makes the tables of the reference pages anew. A test fails when one of them is stale. */
for (const page of readPages()) {
  const text = await renderPage(page);
  if (text === page.text) continue;
  writeFileSync(page.file, text);
  console.log(`docs/${page.name}`);
}
