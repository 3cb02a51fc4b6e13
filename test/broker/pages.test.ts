import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { closeBrokers, somePages, startBroker } from './rig.ts';

afterEach(closeBrokers);

test.each([
  ['/', 'index.html'],
  ['/?why=expired&return=%2Fconsole%2Fschool%2F101', 'index.html'],
  ['/console/school/101', 'console.html'],
  ['/console/school/101?mode=view', 'console.html'],
  ['/console/school/101/', 'console.html'],
] as const)('%s serves %s', async (path, file) => {
  const rig = await startBroker();
  const answer = await rig.ask(path);
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('no-cache');
  expect(answer.text).toBe(somePages[file]);
});

test('assets are cached permanently, because their names change with their content', async () => {
  const rig = await startBroker();
  const answer = await rig.ask('/assets/app-1a2b.js');
  expect(answer.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': String(somePages['assets/app-1a2b.js'].length),
  });
  expect(answer.text).toBe(somePages['assets/app-1a2b.js']);
});

test('an unchanged page is not sent again', async () => {
  const rig = await startBroker();
  const { etag } = (await rig.ask('/')).headers;
  const answer = await rig.ask('/', { headers: { 'if-none-match': etag ?? '' } });
  expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', etag]);
  expect((await rig.ask('/', { headers: { 'if-none-match': '"another"' } })).status).toBe(200);
});

test.each([
  ['br, gzip', 'br', brotliDecompressSync],
  ['gzip', 'gzip', gunzipSync],
] as const)('a client that accepts %s gets %s', async (accepted, encoding, decompress) => {
  const rig = await startBroker();
  const answer = await rig.ask('/assets/app-1a2b.js', { headers: { 'accept-encoding': accepted } });
  expect(answer.headers['content-encoding']).toBe(encoding);
  expect(answer.headers.vary).toContain('accept-encoding');
  expect(answer.bytes.length).toBeLessThan(500);
  expect(decompress(answer.bytes).toString()).toBe(somePages['assets/app-1a2b.js']);
});

test('small and large files are what they were before their compression', async () => {
  const sizes = [0, 1, 1008, 1009, 16_368, 16_369, 300_000];
  const text = (size: number) => randomBytes(size).toString('hex').slice(0, size);
  const pages = Object.fromEntries(sizes.map((size) => [`assets/${size}.js`, text(size)]));
  const rig = await startBroker({ pages: { ...somePages, ...pages } });
  for (const [encoding, decompress] of [
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)
    for (const [name, content] of Object.entries(pages)) {
      const answer = await rig.ask(`/${name}`, { headers: { 'accept-encoding': encoding } });
      const compressed = answer.headers['content-encoding'] === encoding;
      expect(compressed).toBe(content.length > 1000);
      expect((compressed ? decompress(answer.bytes) : answer.bytes).toString()).toBe(content);
    }
});

test('HEAD returns the length of a page without its content', async () => {
  const rig = await startBroker();
  const answer = await rig.ask('/', { method: 'HEAD' });
  expect([answer.status, answer.text]).toEqual([200, '']);
  expect(answer.headers['content-length']).toBe(String(somePages['index.html'].length));
});

test.each([
  '/nothing',
  '/index.html',
  '/console.html',
  '/console/school',
  '/console/school/1e3',
  '/console/%2e%2e/101',
  '/console/school/101/more',
  '/assets/',
  '/assets/../package.json',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/..%2f..%2fpackage.json',
  '/assets/..%5c..%5cpackage.json',
  '/../../../../etc/passwd',
  '//etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/.vite/manifest.json',
  '/assets/app-1a2b.js%00',
  '/%',
  '/__proto__',
  '/constructor',
])('%s is not found', async (path) => {
  const rig = await startBroker();
  const answer = await rig.ask(path);
  expect(answer.status).toBe(404);
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.text).toContain('Page not found');
});

test('the start fails without built pages, and the error says how to build them', async () => {
  await expect(startBroker({ pages: { 'index.html': 'alone' } })).rejects.toThrow(
    /console\.html and lti\.html and recording\.html not found in .*`npm run build:pages`/,
  );
});

test('a broker with pages and a store is ready, even without Proxmox', async () => {
  const rig = await startBroker();
  expect(await rig.broker.readiness()).toEqual([]);
});
