import { closeBrokers, startBroker } from '../rig.ts';
import { login, sameOrigin } from './problem.ts';

afterEach(closeBrokers);

describe('client addresses behind proxies', () => {
  /** Returns how many sign-ins of one client succeed if it sends a new X-Forwarded-For each time. */
  async function spoofing(trustedProxies: number, forwarded: (i: number) => string): Promise<number[]> {
    const rig = await startBroker({ config: { trustedProxies, limits: { signInsPerAddressPerMinute: 2 } } });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const headers = { ...sameOrigin, 'x-forwarded-for': forwarded(i) };
      statuses.push((await rig.ask('/api/v1/login', { ...login, headers })).status);
    }
    return statuses;
  }

  test('X-Forwarded-For is ignored without proxies', async () => {
    expect(await spoofing(0, (i) => `203.0.113.${i}`)).toEqual([200, 200, 429, 429]);
  });

  test('entries before the one of the only proxy are ignored', async () => {
    expect(await spoofing(1, (i) => `203.0.113.${i}, 198.51.100.7`)).toEqual([200, 200, 429, 429]);
  });

  test('entries before those of two proxies are ignored', async () => {
    expect(await spoofing(2, (i) => `203.0.113.${i}, 198.51.100.7, 10.0.0.1`)).toEqual([200, 200, 429, 429]);
  });

  test('clients behind the proxy are distinguished', async () => {
    expect(await spoofing(1, (i) => `198.51.100.${i}`)).toEqual([200, 200, 200, 200]);
  });

  test('an IPv6 network counts as one address', async () => {
    expect(await spoofing(1, (i) => `2001:db8:1:2::${i}`)).toEqual([200, 200, 429, 429]);
    expect(await spoofing(1, (i) => `2001:db8:1:${i}::1`)).toEqual([200, 200, 200, 200]);
  });
});
