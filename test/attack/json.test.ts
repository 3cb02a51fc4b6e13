import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constantSecret } from '@porthole/shared/config/secret';
import { readOpenApi } from '../broker/openapi.ts';
import type { Browser } from '../broker/browser.ts';
import { aCluster, closeBrokers, startBroker, type Rig } from '../broker/rig.ts';
import { createRelayRig } from '../relay/rig.ts';
import { createSeededRandom, type SeededRandom } from '../relay/seeded-random.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

let rig: Rig;
let anna: Browser;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'porthole-recordings-'));
  rig = await startBroker({
    proxmox: [{ name: 'lab', fake: await aCluster() }],
    config: {
      limits: { signInsPerMinute: 1e6, signInsPerAddressPerMinute: 1e6, grantsPerMinute: 1e6 },
      recordings: {
        encryptionKeys: constantSecret('the key that seals the recordings of this test'),
        storage: { directory },
      },
    },
  });
  anna = await rig.signedIn('anna');
});
afterAll(async () => {
  await closeBrokers();
  await rm(directory, { recursive: true });
});

const operations = readOpenApi().operations.map((operation) => operation.split(' ') as [string, string]);
/** Titles of tests must not be pages long. */
const short = (text: string) => [JSON.stringify(text.slice(0, 60)), text] as const;
const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
const send = (method: string, path: string, raw?: string) =>
  rig.ask(path, {
    method,
    headers: { ...headers, cookie: anna.cookie ?? '' },
    ...(raw === undefined ? {} : { raw }),
  });
const grants = '/api/v1/consoles/lab/101/grants';

/** No object of the program has got a property. */
function expectCleanPrototypes(): void {
  const fresh = {} as Record<string, unknown>;
  for (const name of ['mode', 'polluted', 'allow', 'status', 'onBehalfOf'])
    expect(fresh[name]).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.keys(Array.prototype)).toEqual([]);
}

describe(threat('H9'), () => {
  afterEach(expectCleanPrototypes);

  test.each(
    [
      '{"__proto__":{"mode":"control","polluted":true}}',
      '{"constructor":{"prototype":{"mode":"control","polluted":true}}}',
      '{"__proto__":null}',
      '{"mode":{"toString":"control"}}',
      '{"mode":["control"]}',
      '{"mode":"control","kind":"__proto__"}',
      '{"mode":"constructor"}',
      '{"mode":"control","watch":"yes"}',
      '{"MODE":"control"}',
      '{"mode":"view","mode":"root"}',
      '[{"mode":"control"}]',
      '"control"',
      'null',
      '',
      '{"mode":"control"}{"mode":"control"}',
      '\u0000{"mode":"control"}',
      '[['.repeat(4000),
      `{"mode":"control","x":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`,
    ].map(short),
  )('the body %s grants nothing that it does not say', async (_title, raw) => {
    const answer = await send('POST', grants, raw);
    if (raw.startsWith('{"mode":"control","x"')) expect([201, 400]).toContain(answer.status);
    else expect(answer.status).toBe(400);
    expect(answer.json.code ?? 'granted').not.toBe('internal');
  });

  test('fields that a user may not send have no effect', async () => {
    const raw = JSON.stringify({
      mode: 'view',
      user: { id: 'local:ben' },
      limits: { perUser: 1e9 },
      origins: ['https://evil.example'],
      clipboard: 'both',
      sessionId: 'chosen',
      expiresAt: 9e15,
      allow: ['power'],
      resumes: {},
    });
    const answer = await send('POST', grants, raw);
    if (answer.status === 201) expect(answer.json.id).not.toBe('chosen');
    else expect(answer.status).toBe(400);
  });

  test.each(
    [
      '?__proto__[polluted]=1&constructor[prototype][polluted]=1',
      '?scope[]=all&scope[]=mine',
      '?scope=all&scope=mine',
      '?scope=__proto__',
      '?user=a&user=b&machine=__proto__',
      '?at=1e999&user=%00&cluster=%ff',
      `?${'a&'.repeat(3000)}`,
      '?%',
      '?=&=&&==',
    ].map(short),
  )('the query %s changes no object', async (_title, query) => {
    for (const [method, path] of operations.filter(
      ([method, path]) => method === 'GET' && !path.includes('{'),
    )) {
      const answer = await send(method, `/api/v1${path}${query}`);
      expect([path, answer.status < 500]).toEqual([path, true]);
    }
  });

  test(
    'random requests are answered, and none with an internal error',
    async () => {
      const random = createSeededRandom(7);
      for (let round = 0; round < rounds(10); round++)
        for (const [method, path] of operations) {
          const target = `/api/v1${path.replaceAll(/\{\w+\}/g, () => anyOf(random, parameters))}${anyOf(random, queries)}`;
          const answer = await send(method, target, method === 'POST' ? randomJson(random, 3) : undefined);
          const isOurs = answer.status < 500 || answer.json.code !== 'internal';
          expect([method, target, isOurs]).toEqual([method, target, true]);
          if (path === '/logout') anna = await rig.signedIn('anna');
        }
      expect(rig.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    },
    roundsTimeout,
  );

  test.each(
    [
      '{"__proto__":{"type":"extend"}}',
      '{"constructor":{"type":"extend"}}',
      '{"type":{"toString":"extend"}}',
      '{"type":"__proto__"}',
      '{"type":"resume","token":"x"}',
      '{"type":"opened","mode":"control"}',
      '["extend"]',
      '[['.repeat(60),
    ].map(short),
  )('the text %s of a viewer ends its console', async (_title, text) => {
    const relay = await createRelayRig();
    const client = await relay.open();
    await client.rfb();
    client.socket.send(text);
    expect((await client.closed).code).toBe(1002);
    await relay.stop();
  });
});

const parameters = [
  'lab',
  '101',
  '102',
  'school',
  'x',
  '%00',
  '__proto__',
  '..%2f',
  '%F0%9F%98%80',
  '9'.repeat(30),
  '-1',
];
const queries = [
  '',
  '',
  '?user=local:ben',
  '?cluster=lab&vmid=101',
  '?scope=all',
  '?at=x',
  '?user=%00&user=x',
];
const names = [
  'mode',
  'kind',
  'watch',
  'onBehalfOf',
  'username',
  'password',
  'code',
  'action',
  'id',
  'groups',
  '__proto__',
];
const values = [
  'control',
  'view',
  'screen',
  'anna',
  'stop',
  '',
  '\u0000',
  'x'.repeat(300),
  '\ud800',
  'constructor',
];
const numbers = [0, -1, 1e308, -0.5, 2 ** 53];

function anyOf<T>(random: SeededRandom, list: readonly T[]): T {
  const found = list[random(list.length)];
  if (found === undefined) throw new Error('The list is empty.');
  return found;
}

function randomJson(random: SeededRandom, depth: number): string {
  switch (random(depth > 0 ? 8 : 5)) {
    case 0:
      return JSON.stringify(anyOf(random, values));
    case 1:
      return String(anyOf(random, numbers));
    case 2:
      return anyOf(random, ['true', 'false', 'null']);
    case 3:
      return anyOf(random, ['', '{', ']', '{"a":}', 'nul']);
    case 4:
      return JSON.stringify(anyOf(random, names));
    case 5:
      return `[${Array.from({ length: random(4) }, () => randomJson(random, depth - 1)).join()}]`;
    default:
      return `{${Array.from({ length: random(6) }, () => `"${anyOf(random, names)}":${randomJson(random, depth - 1)}`).join()}}`;
  }
}
