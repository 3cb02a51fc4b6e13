import { randomBytes } from 'node:crypto';
import { storeKeys } from '@porthole/shared/store/keys';
import type { Browser } from '../broker/browser.ts';
import { password } from '../broker/rig.ts';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import type { ConsoleClient } from '../relay/console-client.ts';
import { startPortholeOnRedis, userName, type PortholeOnRedis } from './porthole-on-redis.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

let porthole: PortholeOnRedis;
beforeEach(async () => {
  porthole = await startPortholeOnRedis();
});
afterEach(() => porthole.stop());

const machine = '/api/v1/consoles/lab/100';
const sessionKeys = storeKeys.session('');
const grantKeyOf = (token: string) => storeKeys.grant(Buffer.from(token, 'base64url'));
const resumeTokens = ({ messages }: ConsoleClient) =>
  messages.flatMap((message) => (message.type === 'resume' ? [message.token] : []));

/** What the attacker read before, to be written again later. */
async function recordOf(key: string): Promise<{ restore(): Promise<unknown> }> {
  const value = (await porthole.attacker.get(key)) ?? '';
  expect(value).not.toBe('');
  return { restore: () => porthole.attacker.set(key, value, 'EX', 600) };
}

async function requestGrant(browser: Browser): Promise<string> {
  const answer = await browser.post(`${machine}/grants`, { mode: 'control' });
  return String(answer.json.protocols[1]).slice('porthole.grant.'.length);
}

describeWith('redis')(threat('S1'), () => {
  test('nothing that is sent to Redis contains a name, an address, a token, a ticket or a password', async () => {
    const sent: string[] = [];
    const monitor = await porthole.attacker.monitor();
    monitor.on('monitor', (_time: string, args: string[]) => sent.push(args.join(' ')));
    const anna = await porthole.broker.signedIn(userName);
    await anna.signIn('unknown.example@school', 'a wrong password');
    await anna.signIn(userName);
    const cookie = anna.cookie ?? '';
    const { client, rfb, token, id } = await porthole.openAs(anna);
    rfb.type('typed secret');
    await eventually('there is a resume token', () => resumeTokens(client).length > 0);
    await anna.get('/api/v1/sessions');
    await anna.get('/api/v1/me/logins');
    await anna.delete(`/api/v1/sessions/${id}`);
    await client.closed;
    await anna.post('/api/v1/logout');
    await eventually('the end was sent', () => sent.some((command) => command.includes('publish')));
    monitor.disconnect();
    const all = sent.join('\n');
    expect(sent.length).toBeGreaterThan(20);
    const words = [userName, 'anna.example', 'unknown.example', 'class-of-anna', 'local:', 'lab-100', 'pve1'];
    const secrets = words.concat(
      [
        'lab/100',
        '127.0.0.1',
        'ended_by_operator',
        'signed_out',
        password,
        'typed secret',
        'a wrong password',
      ],
      [token, cookie.slice(cookie.indexOf('=') + 1), id],
      resumeTokens(client),
      porthole.relay.proxmox.issuedSecrets(),
    );
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });
});

describeWith('redis')(threat('S2'), () => {
  test('a grant restored after use opens nothing without its token, and with it only the same session', async () => {
    const token = await porthole.relay.mint({ sessionId: 'replayed' });
    const record = await recordOf(grantKeyOf(token));
    const first = porthole.relay.connect({ token });
    await first.rfb();
    await record.restore();
    expect((await porthole.relay.connect({ token: 'A'.repeat(43) }).closed).code).toBe(4401);
    const second = porthole.relay.connect({ token });
    await second.rfb();
    // The first connection learns by its heartbeat that the session has moved.
    porthole.clock.advance(5000);
    expect((await first.closed).code).toBe(4423);
    await eventually('there is one console', () => porthole.relay.proxmox.openConsoles() === 1);
    second.close();
  });

  test('an older session record, restored while its successor has none, ends no resumed console', async () => {
    const client = await porthole.relay.open();
    await client.rfb();
    await eventually('it has a token', () => resumeTokens(client).length > 0);
    const sessions = async () =>
      [...(await porthole.strings()).keys()].filter((key) => key.startsWith(sessionKeys));
    const [key = ''] = await sessions();
    const record = await recordOf(key);
    await porthole.attacker.del(key);
    const resumed = porthole.relay.connect({ token: resumeTokens(client)[0] ?? '' });
    const rfb = await resumed.rfb();
    for (let again = 0; again < 3; again++) {
      await record.restore();
      const restored = await porthole.attacker.get(key);
      porthole.clock.advance(5000);
      await eventually('the record is replaced', async () => (await porthole.attacker.get(key)) !== restored);
    }
    expect((await client.closed).code).toBe(4423);
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    expect(resumed.socket.readyState).toBe(resumed.socket.OPEN);
    resumed.close();
  });

  test('a grant restored after its time opens nothing', async () => {
    const token = await porthole.relay.mint();
    const record = await recordOf(grantKeyOf(token));
    porthole.clock.advance(60_000);
    await record.restore();
    expect((await porthole.relay.connect({ token }).closed).code).toBe(4401);
  });

  test('a resume token restored after its time opens nothing', async () => {
    const client = await porthole.relay.open();
    await client.rfb();
    await eventually('it has a token', () => resumeTokens(client).length > 0);
    const [token = ''] = resumeTokens(client);
    const record = await recordOf(grantKeyOf(token));
    client.close();
    await client.closed;
    porthole.clock.advance(120_000);
    await record.restore();
    expect((await porthole.relay.connect({ token }).closed).code).toBe(4401);
  });

  test('a grant restored after an order opens nothing', async () => {
    const anna = await porthole.broker.signedIn(userName);
    const { id, client } = await porthole.openAs(anna);
    const token = await porthole.relay.mint({ sessionId: id });
    const record = await recordOf(grantKeyOf(token));
    await anna.delete(`/api/v1/sessions/${id}`);
    await client.closed;
    for (let again = 0; again < 3; again++) {
      await record.restore();
      expect((await porthole.relay.connect({ token }).closed).code).toBe(4423);
    }
  });

  test('a sign-in restored after sign-out opens no console', async () => {
    const anna = await porthole.broker.signedIn(userName);
    const saved = [...(await porthole.strings())].filter(([key]) => key.startsWith('porthole:login'));
    const { cookie } = anna;
    await anna.post('/api/v1/logout');
    for (const [key, value] of saved) await porthole.attacker.set(key, value, 'EX', 600);
    anna.cookie = cookie;
    const token = await requestGrant(anna);
    expect((await porthole.relay.connect({ token }).closed).code).toBe(4423);
  });
});

describeWith('redis')(threat('S3'), () => {
  test('every record, altered in every way, opens nothing, and no live console notices', async () => {
    await porthole.startHonest();
    const anna = await porthole.broker.signedIn(userName);
    const ben = await porthole.broker.signedIn('ben');
    await porthole.openAs(anna);
    const tokens = await Promise.all([requestGrant(anna), requestGrant(ben), porthole.relay.mint()]);
    const before = await porthole.strings();
    const values = [...before.values()];
    const bytes = (value: string) => Buffer.from(value, 'base64url');
    const flip = (value: string, at: number) => {
      const changed = bytes(value);
      changed[at] = (changed[at] ?? 0) ^ 1;
      return changed.toString('base64url');
    };
    const changes: ((value: string, i: number) => string)[] = [
      () => '',
      () => '{"version":1}',
      (_value, i) => values[(i + 1) % values.length] ?? '',
      (value) => flip(value, 0),
      (value) => flip(value, 12),
      (value) => flip(value, bytes(value).length - 1),
      (value) => bytes(value).subarray(0, 27).toString('base64url'),
      (value) => bytes(value).subarray(0, -1).toString('base64url'),
      (value) => `${value}AAAA`,
      (value) => randomBytes(bytes(value).length).toString('base64url'),
      () => '\0\xff\r\n',
    ];
    for (const change of changes) {
      let i = 0;
      for (const [key, value] of before) await porthole.attacker.set(key, change(value, i++), 'EX', 600);
      expect((await anna.get('/api/v1/me')).status).toBe(401);
      expect((await ben.get('/api/v1/me')).status).toBe(401);
      await porthole.expectNoInternalError(anna);
      for (const token of tokens) expect((await porthole.relay.connect({ token }).closed).code).toBe(4401);
    }
    await porthole.expectHonestUsable();
    expect((await porthole.broker.signedIn(userName)).cookie).toBeDefined();
  });

  test('records of two users that are exchanged make neither user the other', async () => {
    const [anna, ben] = [await porthole.broker.signedIn(userName), await porthole.broker.signedIn('ben')];
    const logins = [...(await porthole.strings())].filter(([key]) => key.startsWith('porthole:login:'));
    const [[first, ofFirst] = ['', ''], [second, ofSecond] = ['', '']] = logins;
    await porthole.attacker.mset(first, ofSecond, second, ofFirst);
    for (const browser of [anna, ben]) expect((await browser.get('/api/v1/me')).status).toBe(401);
  });

  test(
    'deleting everything, again and again, ends no live console',
    async () => {
      await porthole.startHonest();
      for (let round = 0; round < rounds(2); round++) {
        await porthole.attacker.flushall();
        await porthole.expectHonestUsable();
      }
      expect(await porthole.tryToOpen()).toBe('open');
    },
    roundsTimeout,
  );
});
