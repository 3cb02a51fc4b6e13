import { connect } from 'node:net';
import { once } from 'node:events';
import { createRelayRig, testOrigin, type RelayRig } from '../rig.ts';

const get = 'GET /relay/v1/console HTTP/1.1';

describe('the upgrade listener', () => {
  let rig: RelayRig;
  beforeAll(async () => {
    rig = await createRelayRig();
  });
  afterAll(() => rig.stop());

  /** The head of the response to an upgrade request, with other headers if given; undefined leaves one out. */
  async function responseTo(overrides: Record<string, string | undefined>, requestLine = get) {
    const headers = {
      Host: 'localhost',
      Origin: testOrigin,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'porthole.v1',
      ...overrides,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}\r\n`],
    );
    const socket = connect(Number(new URL(rig.url).port), '127.0.0.1');
    socket.write(`${requestLine}\r\n${lines.join('')}\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return chunk.toString('latin1').split('\r\n\r\n')[0] ?? '';
  }

  test('accepts the example key of RFC 6455 as the RFC requires', async () => {
    const response = await responseTo({});
    expect(response).toMatch(/^HTTP\/1.1 101 /);
    expect(response).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(response).toContain('Sec-WebSocket-Protocol: porthole.v1');
    expect(response).not.toContain('Extensions');
  });

  test.each<[string, number, Record<string, string | undefined>, string]>([
    ['without a key', 400, { 'Sec-WebSocket-Key': undefined }, get],
    ['with a key of the wrong length', 400, { 'Sec-WebSocket-Key': 'abc' }, get],
    ['of another protocol than WebSocket', 400, { Upgrade: 'h2c' }, get],
    ['of an unknown version', 400, { 'Sec-WebSocket-Version': '7' }, get],
    ['without a subprotocol', 400, { 'Sec-WebSocket-Protocol': undefined }, get],
    ['with a subprotocol twice', 400, { 'Sec-WebSocket-Protocol': 'porthole.v1, porthole.v1' }, get],
    ['with an invalid subprotocol', 400, { 'Sec-WebSocket-Protocol': 'porthole.v1, a b' }, get],
    ['for another path', 404, {}, 'GET /other HTTP/1.1'],
    ['by POST', 405, {}, 'POST /relay/v1/console HTTP/1.1'],
  ])('refuses a request %s', async (_, status, overrides, requestLine) => {
    expect(await responseTo(overrides, requestLine)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
});
