import { parseRedisUrl } from '@porthole/shared/store/redis/url';

test.each([
  ['redis://cache', { host: 'cache', port: 6379, db: 0, tls: false }],
  ['redis://cache:7000/3', { host: 'cache', port: 7000, db: 3, tls: false }],
  ['redis://cache/', { host: 'cache', port: 6379, db: 0, tls: false }],
  ['rediss://[::1]:6380', { host: '::1', port: 6380, db: 0, tls: true }],
  ['redis://:p%40ss@cache', { host: 'cache', port: 6379, db: 0, tls: false, password: 'p@ss' }],
  [
    'redis://al%2Fice:p@cache',
    { host: 'cache', port: 6379, db: 0, tls: false, username: 'al/ice', password: 'p' },
  ],
])('%s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  'redis://user:secret@',
  'redis://user:secret@host:port',
  'http://user:secret@cache',
  'redis://user:secret@cache/name',
  'redis://user:secret@cache/0?db=1',
  'redis://user:secret@cache/0#1',
  'redis://user:secret%ZZ@cache',
  'secret',
  '',
])('%p is refused without being quoted', (url) => {
  const parse = () => parseRedisUrl(url);
  expect(parse).toThrow(/Redis URL/);
  expect(parse).not.toThrow(/secret/);
});
