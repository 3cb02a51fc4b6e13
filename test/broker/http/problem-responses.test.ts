import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import type { ErrorCode } from '@porthole/shared/errors';
import { systemClock } from '@porthole/shared/time/clock';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { Asking } from '../browser.ts';
import { closeBrokers, startBroker } from '../rig.ts';
import { expectProblem, login, sameOrigin } from './problem.ts';

afterEach(closeBrokers);

test.each<[string, string, Asking, ErrorCode]>([
  ['an unknown path', '/api/v1/nothing', {}, 'not_found'],
  ['a path of another version', '/api/v2/me', {}, 'not_found'],
  ['a path in upper case', '/API/v1/me', {}, 'not_found'],
  ['the path of the API itself', '/api', {}, 'not_found'],
  ['a slash at the end', '/api/v1/me/', {}, 'not_found'],
  ['another method', '/api/v1/me', { method: 'POST', headers: sameOrigin }, 'method_not_allowed'],
  ['an unknown method', '/api/v1/me', { method: 'PROPFIND', headers: sameOrigin }, 'method_not_allowed'],
  ['a POST to a page', '/', { method: 'POST', headers: sameOrigin }, 'method_not_allowed'],
  ['no sign-in', '/api/v1/me', {}, 'not_signed_in'],
  ['a body that is not JSON', '/api/v1/login', { ...login, raw: '{"username":' }, 'bad_request'],
  ['a body that is not an object', '/api/v1/login', { ...login, raw: '"text"' }, 'bad_request'],
  ['a missing body', '/api/v1/login', { method: 'POST', headers: sameOrigin }, 'bad_request'],
  [
    'a body that is too large',
    '/api/v1/login',
    { ...login, raw: `"${'x'.repeat(17_000)}"` },
    'body_too_large',
  ],
  [
    'a form',
    '/api/v1/login',
    { ...login, headers: { ...sameOrigin, 'content-type': 'application/x-www-form-urlencoded' }, raw: 'a=b' },
    'wrong_media_type',
  ],
  [
    'JSON that claims to be text, as a form can send it',
    '/api/v1/login',
    { ...login, headers: { ...sameOrigin, 'content-type': 'text/plain' } },
    'wrong_media_type',
  ],
])('%s gets a problem response', async (_what, path, asking, code) => {
  const rig = await startBroker();
  const answer = await rig.ask(path, asking);
  if (path.startsWith('/API')) expect(answer.status).toBe(404);
  else expectProblem(answer, code);
});

test('a method that is not allowed gets an Allow header', async () => {
  const rig = await startBroker();
  const answer = await rig.ask('/api/v1/me', { method: 'DELETE', headers: sameOrigin });
  expectProblem(answer, 'method_not_allowed');
  expect(answer.headers.allow).toBe('HEAD, GET');
});

test('the size limit applies to the decompressed body', async () => {
  const rig = await startBroker();
  const raw = gzipSync(`{"username":"anna","password":"${'x'.repeat(1_000_000)}"}`);
  expect(raw.length).toBeLessThan(2000);
  const headers = { ...sameOrigin, 'content-encoding': 'gzip' };
  expectProblem(await rig.ask('/api/v1/login', { method: 'POST', headers, raw }), 'body_too_large');
});

test('an unexpected error is reported as internal, and its stack is logged', async () => {
  const store = createMemoryStore({ clock: systemClock });
  const rig = await startBroker({
    store: {
      ...store,
      records: { ...store.records, get: () => Promise.reject(new TypeError('secret inner words')) },
    },
  });
  const anna = await rig.signedIn('anna');
  const answer = await anna.get('/api/v1/me');
  expectProblem(answer, 'internal');
  expect(answer.text).not.toContain('inner words');
  const line = rig.log.find((text) => text.includes('unexpected error'));
  expect(line).toContain('secret inner words');
  expect(line).toContain('problem-responses.test.ts');
  expect(line).toContain(answer.json.requestId);
});

test('HEAD gets the same response as GET without the body', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  const answer = await rig.ask('/api/v1/me', { method: 'HEAD', headers: { cookie: anna.cookie ?? '' } });
  expect([answer.status, answer.text]).toEqual([200, '']);
});

test('a request ID from the client is ignored', async () => {
  const rig = await startBroker();
  const answer = await rig.ask('/api/v1/me', { headers: { 'x-request-id': 'forged' } });
  expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{12}$/);
});

test('a malformed request line is rejected and does not affect the broker', async () => {
  const rig = await startBroker();
  const refused = await new Promise<string>((resolve) => {
    const socket = connect(rig.port, '127.0.0.1', () => socket.write('GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n'));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('close', () => resolve(text));
  });
  expect(refused).toContain('400 Bad Request');
  expect((await rig.ask('/')).status).toBe(200);
});
