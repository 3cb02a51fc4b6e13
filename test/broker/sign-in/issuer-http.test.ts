import { createIssuerKeys, fetchWithCa } from '@porthole/broker/sign-in/issuer-http';
import { aCluster, closeBrokers } from '../rig.ts';

afterEach(closeBrokers);

const keys = (issuer: string, url: string) => () =>
  createIssuerKeys(new URL(url), { issuer: new URL(issuer) });

test('keys of an https issuer come by https only', () => {
  expect(keys('https://id.example', 'http://id.example/jwks')).toThrow('must have an https:// URL');
  expect(keys('https://id.example', 'https://keys.example/jwks')).not.toThrow();
});

test('keys of an issuer on this computer may come by http', () => {
  expect(keys('http://127.0.0.1:8080', 'http://127.0.0.1:8080/jwks')).not.toThrow();
});

test('a request trusts the CA of the file as it is now, and no other', async () => {
  // Any two https servers with CAs of their own.
  const [one, other] = [await aCluster(), await aCluster()];
  let ca = one.caPem;
  const get = fetchWithCa(() => ca);
  const statusOf = async (url: string) => (await get(`${url}/api2/json/version`)).status;
  expect(await statusOf(one.url())).toBe(401);
  await expect(statusOf(other.url())).rejects.toThrow('fetch failed');
  ca = other.caPem;
  expect(await statusOf(other.url())).toBe(401);
  await expect(statusOf(one.url())).rejects.toThrow('fetch failed');
});
