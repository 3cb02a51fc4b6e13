import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { errorKinds } from '@porthole/shared/errors';
import { builtInLanguage, languageTags, type Language } from '@porthole/shared/language/languages';
import { parseAst } from 'vite';
import type { CompiledTranslation } from '../../../services/broker/web/src/language/translation.ts';

const pages = fileURLToPath(new URL('../../../services/broker/web/src', import.meta.url));
const messagesFolder = join(pages, 'language/messages');

type Compiled = Readonly<Record<string, unknown>>;

/** Jest compiles the messages as the build does, so these are those of the pages. */
async function load(language: Language): Promise<unknown> {
  const module = (await import(join(messagesFolder, `${language}.ts`))) as Readonly<Record<string, unknown>>;
  return module[language];
}

const english = (await load('en')) as Compiled;
const others = languageTags.filter((language) => language !== builtInLanguage);
const translations = await Promise.all(
  others.map(async (language) => [language, (await load(language)) as CompiledTranslation] as const),
);

const pluralType = 2;
const selectType = 1;

/** The parameters of a compiled message, and the categories of its plurals. */
function partsOf(message: unknown): { readonly parameters: string[]; readonly plurals: string[][] } {
  const parameters = new Set<string>();
  const plurals: string[][] = [];
  const walk = (node: unknown): void => {
    if (!Array.isArray(node)) return;
    const [name, type, options] = node as readonly unknown[];
    if (typeof name === 'string' && typeof type === 'number') {
      parameters.add(`${name}: ${type}`);
      if (type === pluralType) plurals.push(Object.keys(options as object));
      if (type === pluralType || type === selectType) Object.values(options as object).forEach(walkAll);
    } else if (typeof name === 'string' && node.length === 1) parameters.add(name);
    else walkAll(node);
  };
  const walkAll = (nodes: unknown): void => {
    if (Array.isArray(nodes)) nodes.forEach((node) => (Array.isArray(node) ? walk(node) : undefined));
  };
  walkAll(message);
  return { parameters: [...parameters].sort(), plurals };
}

/** Its type does not matter: a language can need a plural where English has only a number. */
const namesIn = (message: unknown) =>
  [...new Set(partsOf(message).parameters.map((parameter) => parameter.replace(/:.*/, '')))].join();

test('every language of the list has a file, and no other has one', async () => {
  expect((await readdir(messagesFolder)).sort()).toEqual(languageTags.map((tag) => `${tag}.ts`).sort());
});

describe.each(translations)('the words of %s', (language, { messages, errors, closes }) => {
  test('are complete, and none is left over', () => {
    expect(Object.keys(messages)).toEqual(Object.keys(english));
    expect(Object.keys(errors)).toEqual(Object.keys(errorKinds));
    expect(Object.keys(closes)).toEqual(Object.keys(closeCodes));
  });

  test('have the parameters of English', () => {
    const differing = Object.entries(messages).filter(
      ([key, message]) => namesIn(message) !== namesIn(english[key]),
    );
    expect(differing.map(([key]) => key)).toEqual([]);
  });

  test('have a form for each plural of the language', () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    // "many" of Romance languages is for millions, and their other form fits.
    const needed = pluralCategories.filter((category) => category !== 'many' || !isRomance(language));
    const lacking = Object.entries(messages).flatMap(([key, message]) =>
      partsOf(message).plurals.some((forms) => needed.some((category) => !forms.includes(category)))
        ? [key]
        : [],
    );
    expect(lacking).toEqual([]);
  });

  test('are no English sentences, and end as these', () => {
    const sentence = (message: unknown) => typeof message === 'string' && /\w .* \w/.test(message);
    const same = Object.entries(messages).filter(
      ([key, message]) => sentence(message) && message === english[key],
    );
    expect(same.map(([key]) => key)).toEqual([]);
    const untranslated = Object.entries(errors).filter(([, [source, text]]) => source === text);
    expect(untranslated).toEqual([]);
    // A label is no sentence in either language, and a sentence one in both.
    const end = (message: unknown) => /[.?…:]?$/.exec(lastText(message).replace('؟', '?'))?.[0];
    const differing = Object.entries(messages).filter(
      ([key, message]) => end(message) !== end(english[key]) && !abbreviated.test(key),
    );
    expect(differing.map(([key]) => key)).toEqual([]);
  });
});

const isRomance = (language: Language) => ['fr', 'es', 'it', 'pt'].includes(language);

/** "5 Min." */
const abbreviated = /^elapsed/;

/** The text at the end of a message, also in its plural. */
function lastText(message: unknown): string {
  if (typeof message === 'string') return message;
  // A number at the end.
  if (!Array.isArray(message)) return '';
  const last: unknown = message.at(-1);
  if (typeof last === 'string') return last;
  const [, type, options] = last as readonly unknown[];
  return type === pluralType || type === selectType
    ? lastText((options as { readonly other: unknown }).other)
    : '';
}

describe('the pages', () => {
  test('use every message', async () => {
    const source = (await sources()).map(({ text }) => text).join('\n');
    const unused = Object.keys(english).filter(
      (key) => !source.includes(`'${key}'`) && !templates.some((template) => template.test(key)),
    );
    expect(unused).toEqual([]);
    // So that the list does not outlive what it is for.
    const idle = templates.filter((template) => !Object.keys(english).some((key) => template.test(key)));
    expect(idle).toEqual([]);
  });

  test('show no words that are not messages', async () => {
    const found = (await sources()).flatMap(({ name, text }) =>
      literalWords(text).map((words) => `${name}: ${words}`),
    );
    expect(found).toEqual([]);
  });

  test.each([
    ['const a = <p>Some words</p>;', ['Some words']],
    ['const a = <p>\n  Words on\n  lines {name} and more\n</p>;', ['Words on lines', 'and more']],
    ['const a = <button aria-label="Close" />;', ['Close']],
    ["const a = <p title={busy ? 'Wait' : 'Go'} class=\"tool\" />;", ['Wait', 'Go']],
    ["const a = <p>{open ? `Opened ${count}` : 'Closed'}</p>;", ['Opened', 'Closed']],
    ["label.setAttribute('aria-label', 'Screen');", ['Screen']],
    ["const a = open ? 'It is open.' : 'off';", ['It is open.']],
    ["throw new Error('It is not open.');", []],
    ["const a = <p class=\"a\" aria-label={t('close')}>{t('close')} / {count}</p>;", []],
  ])('%s has the words %j', (text, words) => expect(literalWords(text)).toEqual(words));
});

/** Keys that the pages put together, as in `power.${action}Busy`. */
const templates = [
  /^power\.(start|shutdown|reboot|reset|stop)(Hint|Busy|Ask|Failed)?$/,
  /^signIn\.why\./,
  /^type\./,
  /^status(Now)?\./,
  /^seat\.(off|free|open)$/,
  /^step\./,
  /^notice\.(idle|time|class)$/,
  /^recording\.(running|unfinished|damaged)$/,
  /^player\.(gap|stopped|missing_|damaged_|unknown_)/,
];

async function sources(): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const names = await readdir(pages, { recursive: true });
  return Promise.all(
    names
      .filter((name) => /\.tsx?$/.test(name) && !name.includes('language/messages/'))
      .map(async (name) => ({ name, text: await readFile(join(pages, name), 'utf8') })),
  );
}

/** A proper name, and key names that are the same in all languages. */
const sameEverywhere = new Set([
  'Porthole',
  'A−',
  'A+',
  // A text of the server that is translated.
  'Too much text was pasted at once.',
]);

const spokenAttributes = [
  'aria-label',
  'aria-valuetext',
  'title',
  'placeholder',
  'label',
  'hint',
  'alt',
  'data-tip',
];

interface Node {
  readonly type: string;
  readonly callee?: unknown;
  readonly arguments?: unknown;
  readonly value?: unknown;
  readonly name?: unknown;
  readonly consequent?: unknown;
  readonly alternate?: unknown;
  readonly right?: unknown;
  readonly expression?: unknown;
}

/** Two words or more, the first with a capital. */
const isSentence = (value: unknown) => typeof value === 'string' && /^\p{Lu}\p{Ll}+ \p{Ll}/u.test(value);

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

/** Words in the markup of a file and in attributes that users see or hear, and sentences anywhere. */
function literalWords(text: string): readonly string[] {
  const words: string[] = [];
  const add = (value: unknown) => {
    const word = typeof value === 'string' ? value.trim().replaceAll(/\s+/g, ' ') : '';
    if (/\p{L}/u.test(word) && !sameEverywhere.has(word)) words.push(word);
  };
  /** A value that is shown: a string, or one of several. */
  const shown = (value: unknown): void => {
    if (!isNode(value)) return;
    if (value.type === 'Literal') add(value.value);
    else if (value.type === 'TemplateLiteral')
      for (const { value: part } of (value as unknown as Template).quasis) add(part.cooked);
    else if (value.type === 'ConditionalExpression') [value.consequent, value.alternate].forEach(shown);
    else if (value.type === 'LogicalExpression') shown(value.right);
    else if (value.type === 'JSXExpressionContainer') shown(value.expression);
  };
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (!isNode(value)) return;
    // For developers.
    if (value.type === 'NewExpression' && String((value.callee as Node).name).endsWith('Error')) return;
    if (value.type === 'JSXText') add(value.value);
    else if (value.type === 'Literal' && isSentence(value.value)) add(value.value);
    else if (value.type === 'CallExpression') {
      const [name, text] = value.arguments as readonly Node[];
      if (spokenAttributes.includes(String(name?.value))) shown(text);
    }
    if (value.type === 'JSXElement' || value.type === 'JSXFragment')
      (value as unknown as { readonly children: readonly unknown[] }).children.forEach(shown);
    const { name } = value;
    if (value.type === 'JSXAttribute' && isNode(name) && spokenAttributes.includes(String(name.name)))
      shown(value.value);
    Object.values(value).forEach(walk);
  };
  walk(parseAst(text, { lang: 'tsx' }).body);
  return [...new Set(words)];
}

interface Template {
  readonly quasis: readonly { readonly value: { readonly cooked: string } }[];
}
