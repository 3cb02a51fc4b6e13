import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { environmentVariables } from '@porthole/shared/config/environment';
import { readConfig } from '@porthole/shared/config/read';
import { clientMessage, controlMessage, openingSteps } from '@porthole/shared/protocol/control-messages';
import { errorKinds } from '@porthole/shared/errors';
import {
  consolePath,
  consoleProtocol,
  grantProtocolPrefix,
  plainProtocol,
  wallProtocol,
} from '@porthole/shared/protocol/subprotocols';
import { seatStates, wallClientMessage, wallMessage } from '@porthole/shared/protocol/wall-messages';
import { z } from 'zod';
import { checkBrokerConfig } from '@porthole/broker/config/check-config';
import { readPages, renderPage, tablesIn } from './pages.ts';
import { allSettings } from './setting-paths.ts';
import { meanings } from './settings.ts';
import { exportedMetrics, tables } from './tables.ts';

const pages = readPages();
const textOf = (name: string) => pages.find((page) => page.name === name)?.text ?? '';
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** What a link within a page may name, as GitHub makes it of the headings. */
const anchorsOf = (text: string) =>
  (text.match(/^#+ .*$/gm) ?? []).map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
const everything = [...pages.map(({ text }) => text), readme].join('\n');

describe('the reference pages', () => {
  test.each(pages.map((page) => [page.name, page] as const))('%s is up to date', async (_name, page) => {
    // If not: npm run docs:tables
    expect(await renderPage(page)).toBe(page.text);
  });

  test('show every table once', () => {
    expect(pages.flatMap(tablesIn).toSorted()).toEqual(Object.keys(tables).toSorted());
  });

  test('say of every setting what it means, and of none that is not there', () => {
    expect(Object.keys(meanings).toSorted()).toEqual(
      allSettings()
        .map(({ path }) => path)
        .toSorted(),
    );
    for (const meaning of Object.values(meanings)) expect(meaning).toMatch(/^.*\.$/);
  });

  test('name no variable that does not exist', () => {
    const known = new Set([
      'PORTHOLE_CONFIG',
      'PORTHOLE_CONFIG_YAML',
      ...environmentVariables.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
    ]);
    const exporters = new Set(['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_RESOURCE_ATTRIBUTES']);
    const all: readonly string[] = everything.match(/(PORTHOLE|OTEL)_[A-Z0-9_]*[A-Z0-9]/g) ?? [];
    const named = all.filter((name) => !exporters.has(name));
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => !named.includes(name))).toEqual([]);
  });

  test('name no metric that does not exist', () => {
    const exported = exportedMetrics();
    const named = everything.match(/porthole_(relay|broker)_\w+/g) ?? [];
    expect(named.filter((name) => !exported.has(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([]);
  });

  test('link to pages that are there', () => {
    const links = pages.flatMap(({ name, text }) =>
      Array.from(text.matchAll(/\]\((?!https?:)([\w./-]*)(?:#([\w-]+))?\)/g), ([link, to, anchor]) => {
        const page = new URL(`../../docs/${name}`, import.meta.url);
        return { name, link, target: to ? new URL(to, page) : page, anchor };
      }),
    );
    expect(links.length).toBeGreaterThan(50);
    const dead = links.filter(
      ({ target, anchor }) =>
        !existsSync(target) || (anchor && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor)),
    );
    expect(dead).toEqual([]);
  });

  test('show an error as the API gives it', () => {
    const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(textOf('errors.md'))?.[1] ?? '') as {
      readonly code: keyof typeof errorKinds;
    };
    const { text, status } = errorKinds[example.code];
    expect(example).toMatchObject({ title: text, status, type: `urn:porthole:error:${example.code}` });
  });
});

describe('the page about the protocol', () => {
  const wholePage = textOf('protocol.md');
  const wall = /## The wall of a class\n[\s\S]*?(?=\n## )/.exec(wholePage)?.[0] ?? '';
  const page = wholePage.replace(wall, '');
  const anyMessage = z.union([clientMessage, controlMessage]);

  test('shows every control message, and only such', () => {
    const shown = Array.from(
      page.matchAll(/`(\{"type":[^`]*\})`/g),
      ([, text]) => JSON.parse(text ?? '') as unknown,
    );
    for (const message of shown) expect(anyMessage.parse(message)).toEqual(message);
    const types = [...controlMessage.options, ...clientMessage.options].map(({ shape }) => shape.type.value);
    expect(shown.map((message) => (message as { type: string }).type).toSorted()).toEqual(types.toSorted());
    for (const step of openingSteps) expect(page).toContain(`\`${step}\``);
  });

  test('shows every message of a wall, and each state of a seat', () => {
    const shown = Array.from(
      wall.matchAll(/`(\{"type":[^`]*\})`/g),
      ([, text]) => JSON.parse((text ?? '').replace('"…"', '"live"')) as { type: string },
    );
    for (const message of shown)
      expect(z.union([wallClientMessage, wallMessage]).parse(message)).toEqual(message);
    const types = [...wallMessage.options, ...wallClientMessage.options].map(({ shape }) => shape.type.value);
    expect(shown.map(({ type }) => type).toSorted()).toEqual(types.toSorted());
    for (const state of seatStates) expect(wall).toContain(`\`${state}\``);
    expect(wall).toContain(wallProtocol);
  });

  test('names the path and the subprotocols as they are', () => {
    for (const name of [consolePath, consoleProtocol, plainProtocol, grantProtocolPrefix])
      expect(page).toContain(name);
  });

  test('names close codes as they are', () => {
    expect(page).toContain(
      `with ${closeCodes.protocol.code}, an oversized one with ${closeCodes.too_big.code}`,
    );
  });
});

describe('the example configuration', () => {
  const page = textOf('configuration.md');
  const example = /## Example[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-docs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The example, with its files in a folder of this test. */
  function readExample(text = example) {
    for (const [, name] of text.matchAll(/\/etc\/porthole\/([\w.-]+)/g))
      writeFileSync(join(folder, name ?? ''), 'k'.repeat(64));
    writeFileSync(join(folder, 'porthole.yaml'), text.replaceAll('/etc/porthole/', `${folder}/`));
    return readConfig({ PORTHOLE_CONFIG: join(folder, 'porthole.yaml') }, folder);
  }

  test('is one that Porthole takes', () => {
    const config = readExample();
    expect(config.clusters[0]?.name).toBe('school');
    checkBrokerConfig(config);
  });

  test('shows every setting, as it is or as an alternative', () => {
    for (const { path } of allSettings()) {
      const name = path.split('.').at(-1)?.replace('[]', '') ?? '';
      expect(example).toMatch(new RegExp(`\\b${name}(File)?:`));
    }
  });

  test('shows the limits with their defaults', () => {
    const { limits } = readExample();
    const without = readExample(example.slice(0, example.indexOf('\nlimits:') + 1));
    expect(limits).toEqual(without.limits);
  });

  test('and the rules that stand elsewhere are ones that Porthole takes', () => {
    const rules = Array.from(
      everything.matchAll(/```yaml\n((?:access|classes):[\s\S]*?)```/g),
      ([, text]) => text ?? '',
    );
    expect(rules.length).toBeGreaterThan(0);
    const clusters = example.slice(example.indexOf('clusters:'), example.indexOf('# Access is'));
    for (const rule of rules) {
      const config = readExample(`${clusters}\n${rule}`);
      checkBrokerConfig(config);
      expect([...(config.access ?? []), ...(config.classes ?? [])].length).toBeGreaterThan(0);
    }
  });
});
