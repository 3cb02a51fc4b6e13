import { createIssuerKeys } from '@porthole/broker/sign-in/issuer-http';

const keys = (issuer: string, url: string) => () =>
  createIssuerKeys(new URL(url), { issuer: new URL(issuer) });

test('keys of an https issuer come by https only', () => {
  expect(keys('https://id.example', 'http://id.example/jwks')).toThrow('must have an https:// URL');
  expect(keys('https://id.example', 'https://keys.example/jwks')).not.toThrow();
});

test('keys of an issuer on this computer may come by http', () => {
  expect(keys('http://127.0.0.1:8080', 'http://127.0.0.1:8080/jwks')).not.toThrow();
});
