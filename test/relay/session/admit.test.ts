import { seal } from '@porthole/shared/crypto/seal';
import { mintGrant } from '@porthole/shared/grant/grant';
import { systemRandom } from '@porthole/shared/crypto/random';
import { systemClock } from '@porthole/shared/time/clock';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { storeKeys } from '@porthole/shared/store/keys';
import { aGrant, createRelayRig, grantKey, type RelayRig } from '../rig.ts';
import { createFakeClock } from '../../fakes/clock.ts';

const refused = { code: 4401, reason: 'This console link was already used or has expired.' };

describe('a grant', () => {
  let rig: RelayRig;
  const storeClock = createFakeClock(Date.now());
  const store = createMemoryStore({ clock: storeClock });
  beforeAll(async () => {
    rig = await createRelayRig({ store });
  });
  afterAll(() => rig.stop());
  const keyOf = (token: string) => storeKeys.grant(Buffer.from(token, 'base64url'));

  test('opens one console', async () => {
    const token = await rig.mint();
    const first = rig.connect({ token });
    await first.rfb();
    expect(await rig.connect({ token }).closed).toEqual(refused);
    first.close();
  });

  test('opens one console if many connections present it at the same time', async () => {
    const token = await rig.mint();
    const clients = Array.from({ length: 12 }, () => rig.connect({ token }));
    const won = await Promise.all(
      clients.map((client) =>
        Promise.race([
          client.rfb().then(
            () => true,
            () => false,
          ),
          client.closed.then(() => false),
        ]),
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    for (const client of clients) client.socket.terminate();
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is too short', 'abc'],
    ['was never minted', 'A'.repeat(43)],
  ])('that %s is refused', async (_, token) => {
    expect(await rig.connect(token === undefined ? {} : { token }).closed).toEqual(refused);
  });

  test('that has expired is refused, even if it is still in the store', async () => {
    const now = systemClock.now();
    const token = await rig.mint({ issuedAt: now - 120_000, expiresAt: now + 60_000 });
    const sealed = await store.records.get(keyOf(token));
    expect(sealed).toBeDefined();
    const expired = aGrant(systemClock, { issuedAt: now - 120_000, expiresAt: now - 1 });
    const bytes = Buffer.from(token, 'base64url');
    const context = { token: bytes, purpose: 'porthole grant v1', storeKey: keyOf(token) };
    await store.records.put(
      keyOf(token),
      seal(() => [grantKey], systemRandom, context, JSON.stringify(expired)),
      60_000,
    );
    expect(await rig.connect({ token }).closed).toEqual(refused);
  });

  test('is removed from the store when it expires', async () => {
    const token = await rig.mint();
    storeClock.advance(60_001);
    expect(await rig.connect({ token }).closed).toEqual(refused);
  });

  test.each([
    ['another origin', 'https://evil.example'],
    ['a client without an origin', null],
    ['the same host on another port', 'http://localhost:9999'],
  ])('is refused from %s, and stays valid', async (_, origin) => {
    const token = await rig.mint();
    expect((await rig.connect({ token, origin }).closed).code).toBe(4403);
    const client = rig.connect({ token });
    await client.rfb();
    client.close();
  });

  test('for another origin than the page’s is refused', async () => {
    expect((await (await rig.open({ origins: ['https://portal.example'] })).closed).code).toBe(4403);
  });

  test('whose record was modified is refused', async () => {
    const token = await rig.mint();
    const sealed = (await store.records.take(keyOf(token))) ?? '';
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await store.records.put(keyOf(token), bytes.toString('base64url'), 60_000);
    expect(await rig.connect({ token }).closed).toEqual(refused);
  });

  test('whose record was sealed with another key is refused', async () => {
    const token = await mintGrant(
      {
        records: store.records,
        keys: () => ['another key of more than thirty-two characters'],
        random: systemRandom,
        clock: systemClock,
      },
      aGrant(systemClock),
    );
    expect(await rig.connect({ token }).closed).toEqual(refused);
  });

  test('whose record was copied from another token is refused', async () => {
    const [mine, theirs] = [await rig.mint(), await rig.mint()];
    const sealed = (await store.records.take(keyOf(theirs))) ?? '';
    await store.records.put(keyOf(mine), sealed, 60_000);
    expect(await rig.connect({ token: mine }).closed).toEqual(refused);
  });

  test('is never selected as the subprotocol or logged', async () => {
    const token = await rig.mint();
    const client = rig.connect({ token, protocols: ['binary', 'porthole.v1'] });
    await client.rfb();
    expect(client.socket.protocol).toBe('porthole.v1');
    expect(rig.logged.join('')).not.toContain(token);
    client.close();
  });
});
