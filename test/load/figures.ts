import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

/** A row of the report: how long consoles had no picture, in milliseconds. */
export function row(what: string, moved: string, times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return `| ${what} | ${moved} | ${at(0.5)} ms | ${at(0.95)} ms | ${at(1)} ms |`;
}

const head = ['| Event | Consoles | Median | 95th percentile | Longest |', '| --- | --- | --- | --- | --- |'];

/** Prints the figures. If REPORT names a page, also writes them between the page's marks of that name. */
export async function reportFigures(
  name: string,
  before: string,
  rows: readonly string[],
  after: readonly string[],
): Promise<void> {
  const text = [before, '', ...head, ...rows, '', ...after].join('\n');
  console.info(text);
  const file = process.env['REPORT'];
  if (file === undefined) return;
  const page = readFileSync(file, 'utf8');
  const marks = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!marks.test(page)) throw new Error(`${file} has no marks named ${name}.`);
  const filled = page.replace(marks, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
  writeFileSync(file, await format(filled, { ...(await resolveConfig(file)), filepath: file }));
}
