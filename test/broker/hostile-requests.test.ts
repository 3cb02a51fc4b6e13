import { once } from 'node:events';
import { connect } from 'node:net';
import { aCluster, closeBrokers, startBroker, type Rig } from './rig.ts';

afterEach(closeBrokers);

/** Sends a request byte by byte as given, because HTTP clients normalize paths and headers. */
async function raw({ port }: Rig, target: string, headers: readonly string[] = ['Host: localhost:8080']) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(`GET ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body };
}

describe('a deceptive request target', () => {
  test.each([
    '/assets/../index.html',
    '/assets/%2e%2e/index.html',
    '/assets/..%2findex.html',
    '/assets/%252e%252e/index.html',
    '/../../etc/passwd',
    '/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '//evil.test/',
    '/\\evil.test',
    '/.vite/manifest.json',
    '/assets/app-1a2b.js%00.html',
    '/console/lab/100/../../..',
    '/console/lab%2f100/100',
    '/console/LAB/100',
    '/console/lab/1e3',
    '/console/lab/0100',
    '/constructor',
    '/__proto__',
    '/%',
    '/%ff',
  ])('%s is not found, redirects nowhere, and reveals nothing about files', async (target) => {
    const rig = await startBroker();
    const answer = await raw(rig, target);
    expect([400, 404]).toContain(answer.status);
    expect(answer.head.toLowerCase()).not.toMatch(/\r\nlocation:/);
    expect(answer.body).not.toMatch(/root:|ENOENT|assets|evil/);
  });

  test.each([
    '/api%2fv1/me',
    '/api/v1/%6de',
    '/api//v1/me',
    '/api/v1/./me',
    '/api/v1/consoles/../me',
    '/api/v1/me%2f',
  ])('%s does not match a similar route', async (target) => {
    const rig = await startBroker();
    const anna = await rig.signedIn('anna');
    const answer = await raw(rig, target, ['Host: localhost:8080', `Cookie: ${anna.cookie}`]);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('anna');
  });

  test('with an absolute URL of another host gets the normal response', async () => {
    const rig = await startBroker();
    const answer = await raw(rig, 'http://evil.test/');
    expect([200, 404]).toContain(answer.status);
    expect(answer.head + answer.body).not.toContain('evil.test');
  });

  test.each(['lab%2f..', '..', 'lab%00', 'LAB', 'constructor', '%2e%2e'])(
    'with the cluster %s finds no machine, and sends no request to Proxmox',
    async (cluster) => {
      const fake = await aCluster();
      const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
      const anna = await rig.signedIn('anna');
      const answer = await anna.post(`/api/v1/consoles/${cluster}/101/grants`, { mode: 'control' });
      expect(answer.status).toBe(404);
      expect(fake.calls.filter(({ path }) => path.includes('..'))).toEqual([]);
    },
  );
});

describe('a foreign Host header', () => {
  const hosts = [
    'Host: evil.test',
    'Host: localhost:8080@evil.test',
    'Host: localhost:8080\r\nX-Forwarded-Host: evil.test',
  ];
  test.each(hosts)('%j appears in no response, link, or cookie', async (host) => {
    const rig = await startBroker();
    for (const target of ['/', '/nothing', '/api/v1/me', '/api/v1/login', '/console/lab/100']) {
      const answer = await raw(rig, target, [host, 'X-Forwarded-Proto: https', 'Forwarded: host=evil.test']);
      expect(answer.head + answer.body).not.toContain('evil.test');
    }
  });

  test('does not change the page or relay of a grant', async () => {
    const rig = await startBroker({ proxmox: [{ name: 'school', fake: await aCluster() }] });
    const anna = await rig.signedIn('anna');
    const answer = await anna.post(
      '/api/v1/consoles/school/101/grants',
      { mode: 'control' },
      { host: 'evil.test', 'x-forwarded-host': 'evil.test' },
    );
    expect(answer.status).toBe(201);
    expect(answer.text).not.toContain('evil.test');
  });

  test('is a bad request if it is missing', async () => {
    const rig = await startBroker();
    expect((await raw(rig, '/', [])).status).toBe(400);
  });
});

describe('conflicting lengths of a request', () => {
  test.each([
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['a length that is none', ['Content-Length: 5x']],
    ['chunks by another name', ['Transfer-Encoding: xchunked']],
  ])('are rejected, which prevents request smuggling: %s', async (_, headers) => {
    const rig = await startBroker();
    const answer = await raw(rig, '/', ['Host: localhost:8080', ...headers]);
    expect(answer.status).toBe(400);
  });
});
