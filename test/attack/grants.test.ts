import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { storeKeys } from '@porthole/shared/store/keys';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../eventually.ts';
import type { ConsoleClient } from '../relay/console-client.ts';
import { createRelayRig, grantKey, testOrigin, type RelayRig } from '../relay/rig.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { hasCloseCode, sendRaw, upgradeLines } from './raw-http.ts';
import { threat } from './threat-table.ts';

let one: RelayRig;
let two: RelayRig;
beforeAll(async () => {
  one = await createRelayRig({ limits: { upgradesPerMinute: 1_000_000 } });
  two = await createRelayRig({ sharedWith: one, limits: { upgradesPerMinute: 1_000_000 } });
});
afterAll(async () => {
  await two.stop();
  await one.stop();
});

const used = 4401;
const portOf = ({ url }: RelayRig) => Number(new URL(url).port);
const tokensOf = ({ messages }: ConsoleClient) =>
  messages.flatMap((message) => (message.type === 'resume' ? [message.token] : []));

async function newestToken(client: ConsoleClient): Promise<string> {
  await eventually('the viewer has a resume token', () => tokensOf(client).length > 0);
  return tokensOf(client).at(-1) ?? '';
}

/** A grant, or a resume token of a session whose viewer has lost its connection. */
const kinds: Readonly<Record<string, () => Promise<string>>> = {
  grant: () => one.mint(),
  'resume token': async () => {
    const client = await one.open();
    await client.rfb();
    const token = await newestToken(client);
    client.socket.terminate();
    await eventually('the console is closed', () => one.proxmox.openConsoles() === 0);
    return token;
  },
};
const each = test.each(Object.entries(kinds));

/** Opens the console with the token and leaves: it was still valid. */
async function expectValid(token: string): Promise<void> {
  const client = two.connect({ token });
  await client.rfb();
  client.close();
  await client.closed;
  await eventually('nothing is left', () => one.proxmox.openConsoles() === 0);
}

async function expectInvalid(token: string): Promise<void> {
  for (const relay of [one, two]) expect((await relay.connect({ token }).closed).code).toBe(used);
}

describe(threat('G1'), () => {
  each('a %s opens one console, however many connections to two relays race for it', async (_kind, make) => {
    for (let round = 0; round < rounds(2); round++) {
      const token = await make();
      const clients = Array.from({ length: 30 }, (_, i) => (i % 2 ? one : two).connect({ token }));
      await eventually(
        'one is open and the others are closed',
        () => clients.filter(({ socket }) => socket.readyState === socket.CLOSED).length === 29,
      );
      const winner = clients.find(({ socket }) => socket.readyState === socket.OPEN);
      await winner?.rfb();
      expect(one.proxmox.openConsoles()).toBe(1);
      for (const client of clients.filter((client) => client !== winner))
        expect((await client.closed).code).toBe(used);
      winner?.close();
      await expectInvalid(token);
      await eventually('nothing is left', () => one.proxmox.openConsoles() === 0);
    }
  });

  each('a %s is used up by an attempt that fails', async (_kind, make) => {
    const token = await make();
    one.proxmox.refuseVncproxy(100, { status: 500, message: 'no' });
    expect((await one.connect({ token }).closed).code).toBe(4502);
    one.proxmox.refuseVncproxy(100, null);
    await expectInvalid(token);
  });

  test('the four spellings of the bytes of a token are one token', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const token = await one.mint();
    const last = alphabet.indexOf(token.at(-1) ?? '') & ~3;
    const spellings = [1, 2, 3, 0].map((bits) => token.slice(0, -1) + alphabet[last + bits]);
    const [first = '', ...others] = spellings;
    await expectValid(first);
    for (const spelling of others) await expectInvalid(spelling);
  });
});

describe(threat('G2'), () => {
  const origins = [
    'https://evil.example',
    'http://localhost:8080.evil.example',
    'http://localhost:8080@evil.example',
    'http://LOCALHOST:8080',
    'http://localhost:8080/',
    'http://localhost:08080',
    'http://localhost',
    'https://localhost:8080',
    'http://127.0.0.1:8080',
    `${testOrigin}, https://evil.example`,
    `https://evil.example, ${testOrigin}`,
    'null',
    '*',
    '',
  ];
  each('a %s is refused from another origin, and not used up', async (_kind, make) => {
    const token = await make();
    for (const origin of origins)
      expect([origin, (await one.connect({ token, origin }).closed).code]).toEqual([origin, 4403]);
    expect((await one.connect({ token, origin: null }).closed).code).toBe(4403);
    await expectValid(token);
  });

  test('two Origin headers are refused', async () => {
    const token = await one.mint();
    const lines = upgradeLines(
      `Origin: ${testOrigin}`,
      'Origin: https://evil.example',
      `Sec-WebSocket-Protocol: porthole.v1, porthole.grant.${token}`,
    );
    await sendRaw(portOf(one), lines, { until: (received) => hasCloseCode(received, 4403) });
    await expectValid(token);
  });
});

describe(threat('G3'), () => {
  const ordersOf = ({ store }: RelayRig) =>
    createTerminationOrders({
      records: store.records,
      signals: createConsoleSignals({
        bus: store.signals,
        keys: () => [grantKey],
        random: systemRandom,
        clock: systemClock,
      }),
      keys: () => [grantKey],
      random: systemRandom,
      clock: systemClock,
    });

  test('a resume token is invalid once the viewer has closed the console', async () => {
    const client = await one.open();
    await client.rfb();
    const token = await newestToken(client);
    client.close();
    await client.closed;
    await eventually('it is revoked', async () => {
      const key = storeKeys.grant(Buffer.from(token, 'base64url'));
      return (await one.store.records.get(key)) === undefined;
    });
    await expectInvalid(token);
  });

  test('a resume token is invalid once the machine has ended the console', async () => {
    const client = await one.open();
    await client.rfb();
    const token = await newestToken(client);
    await one.guest.stop();
    await client.closed;
    await one.guest.start();
    await expectInvalid(token);
  });

  test.each([
    { kind: 'session', ref: 'ended-session' },
    { kind: 'login', ref: 'ended-login' },
    { kind: 'user', ref: 'ended-user' },
  ] as const)('an order for a $kind ends the console, and its tokens open nothing', async (target) => {
    const { kind, ref } = target;
    const claims = {
      sessionId: kind === 'session' ? ref : randomId(systemRandom),
      loginRef: kind === 'login' ? ref : 'login-1',
      user: { id: kind === 'user' ? ref : 'student', name: 'Student', groups: [] },
    };
    const client = await one.open(claims);
    await client.rfb();
    const token = await newestToken(client);
    const grant = await one.mint({ ...claims, issuedAt: Date.now() - 1 });
    await ordersOf(two).issue(target, kind === 'login' ? 'signed_out' : 'ended_by_operator');
    expect((await client.closed).code).toBe(4423);
    await expectInvalid(token);
    expect((await two.connect({ token: grant }).closed).code).toBe(4423);
    // Others are not concerned.
    await expectValid(await one.mint());
  });

  test('a viewer that was superseded can not take its session back', async () => {
    const client = await one.open();
    await client.rfb();
    const token = await newestToken(client);
    const newer = two.connect({ token });
    await newer.rfb();
    expect((await client.closed).code).toBe(4423);
    for (const old of tokensOf(client)) await expectInvalid(old);
    expect(newer.socket.readyState).toBe(newer.socket.OPEN);
    newer.close();
    await eventually('nothing is left', () => one.proxmox.openConsoles() === 0);
  });
});

describe(threat('G4'), () => {
  const malformed = (token: string) => [
    token.slice(0, -1),
    token.slice(1),
    `${token}A`,
    `${token}=`,
    `${token.slice(0, -1)}.`,
    `${token.slice(0, -1)}+`,
    `${token.slice(0, 20)}%00${token.slice(23)}`,
    token.toUpperCase() === token ? `${token}x` : token.toUpperCase(),
    Buffer.from(token, 'base64url').toString('hex'),
  ];
  each(
    'a %s that is cut, extended or respelled opens nothing, and the true one stays valid',
    async (_kind, make) => {
      const token = await make();
      for (const changed of malformed(token)) {
        const protocols = ['porthole.v1', `porthole.grant.${changed}`];
        const client = one.connect({
          protocols: protocols.filter((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name)),
        });
        expect([changed, (await client.closed).code]).toEqual([changed, used]);
      }
      await expectValid(token);
    },
  );

  each('a %s is read nowhere but behind its prefix', async (_kind, make) => {
    const token = await make();
    const names = [`porthole.resume.${token}`, `Porthole.Grant.${token}`, `porthole.grant${token}`, token];
    for (const name of names)
      expect((await one.connect({ protocols: ['porthole.v1', name] }).closed).code).toBe(used);
    const [, ...lines] = upgradeLines(
      `Origin: ${testOrigin}`,
      `Authorization: Bearer ${token}`,
      `Cookie: porthole=${token}; porthole.grant=${token}`,
      'Sec-WebSocket-Protocol: porthole.v1',
    );
    const inPath = `GET /relay/v1/console?token=${token}&grant=porthole.grant.${token} HTTP/1.1`;
    await sendRaw(portOf(one), [inPath, ...lines], { until: (received) => hasCloseCode(received, used) });
    await expectValid(token);
    expect([...one.logged, ...two.logged].join('')).not.toContain(token);
  });

  test(
    'guesses open nothing and change nothing',
    async () => {
      const token = await one.mint();
      const guesses = Array.from({ length: rounds(60) }, () => systemRandom(32).toString('base64url'));
      for (let at = 0; at < guesses.length; at += 30)
        await Promise.all(guesses.slice(at, at + 30).map((guess) => expectInvalid(guess)));
      await expectValid(token);
    },
    roundsTimeout,
  );
});
