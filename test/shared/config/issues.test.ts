import fc from 'fast-check';
import { ConfigError, readConfig } from '@porthole/shared/config/read';
import { aCluster, configFolder, environment, issuesOf, grantKey, settings } from './config-files.ts';

const { folder, read, write } = configFolder();

describe('an invalid configuration', () => {
  test('reports all issues at once, each with its path or its variable', () => {
    const file = {
      publicUrl: 'ftp://x',
      lisen: ':80',
      redis: { url: 'http://x', password: 'x' },
      clusters: [
        aCluster({ name: 'a', urls: ['http://x'], tls: { caFile: 'nope.pem', fingerprint: 'x' } }),
        aCluster({ name: 'a', urls: 'http://x', opensPerNode: 0, credential: { username: 'a@pve' } }),
      ],
      access: [{ who: { groups: ['x'] }, which: { vmids: ['a'] }, allow: ['all'] }],
    };
    const env = { PORTHOLE_NOPE: 'x', PORTHOLE_TRUSTED_PROXIES: 'many', PORTHOLE_USERS_FILE: 'gone.yaml' };
    const issues = issuesOf(() => read(file, env));
    for (const start of [
      'publicUrl: must be an http:// or https:// URL',
      'lisen: unknown setting',
      'redis.url: must be a redis:// or rediss:// URL',
      'clusters.0.urls.0: must be an https:// URL',
      'clusters.0.tls.caFile: the file ',
      'clusters.0.tls.fingerprint: unknown setting',
      'clusters.1.urls: must be an https:// URL',
      'clusters.1.opensPerNode: ',
      'clusters.1.credential: specify either token and secret, or username and password',
      'clusters: cluster names must be unique',
      'access.0.which.vmids.0: must be a vmid or a range such as "200-299"',
      'access.0.allow.0: ',
      'grantKeys: is required with Redis',
      'PORTHOLE_NOPE: unknown setting',
      'PORTHOLE_TRUSTED_PROXIES: ',
      'PORTHOLE_USERS_FILE: the file ',
    ])
      expect(issues).toContainEqual(expect.stringContaining(start));
    expect(issues).toHaveLength(16);
  });

  test('reports missing settings as required, without their types', () => {
    expect(issuesOf(() => readConfig({}, folder()))).toEqual([
      'clusters: is required',
      'signIn: is required',
    ]);
    expect(issuesOf(() => readConfig(environment({ PORTHOLE_PROXMOX_URL: undefined }), folder()))).toEqual([
      'clusters.0.urls: is required',
    ]);
  });

  test('gives a secret twice', () => {
    write('token', 'x');
    const both = { token: 'a@pve!b', secret: 'x', secretFile: 'token' };
    expect(issuesOf(() => read(settings({ clusters: [aCluster({ credential: both })] })))).toEqual([
      'clusters.0.credential.secretFile: specify secret or secretFile, not both',
    ]);
    const env = environment({ PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: 'token' });
    expect(issuesOf(() => readConfig(env, folder()))).toEqual([
      'PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: specify secret or secretFile, not both',
    ]);
  });

  test('has an empty secret, or a secret file that is empty or missing', () => {
    write('empty', '\n');
    const withSecret = (secret: Record<string, unknown>) => () =>
      read(settings({ clusters: [aCluster({ credential: { token: 'a@pve!b', ...secret } })] }));
    expect(issuesOf(withSecret({ secret: ' ' }))).toEqual(['clusters.0.credential.secret: is empty']);
    expect(issuesOf(withSecret({ secretFile: 'empty' }))).toEqual([
      `clusters.0.credential.secretFile: the file ${folder()}/empty is empty`,
    ]);
    expect(issuesOf(withSecret({ secretFile: 'gone' }))).toEqual([
      `clusters.0.credential.secretFile: the file ${folder()}/gone cannot be read`,
    ]);
    expect(issuesOf(withSecret({ secret: 1234 }))).toEqual([expect.stringContaining('must be a string')]);
  });

  test.each([
    ['short', 'grantKeys: each key must have at least 32 characters'],
    [`${grantKey} short`, 'grantKeys: each key must have at least 32 characters'],
    [' , ', 'grantKeys: contains no key'],
  ])('has grant keys such as %j', (grantKeys, issue) => {
    expect(issuesOf(() => read(settings({ grantKeys })))).toEqual([expect.stringContaining(issue)]);
  });

  test('has Redis without grant keys', () => {
    expect(issuesOf(() => read(settings({ redis: { url: 'redis://redis' } })))).toEqual([
      'grantKeys: is required with Redis: broker and relay share the keys',
    ]);
  });

  test('limits extended sessions to less than others', () => {
    const limits = { sessionSeconds: 3600, maxSessionSeconds: 3599 };
    expect(issuesOf(() => read(settings({ limits })))).toEqual([
      'limits.maxSessionSeconds: must be at least sessionSeconds',
    ]);
  });

  test('has a duration that exceeds the timers of Node', () => {
    const limits = { sessionSeconds: 604_801, idleSeconds: 604_801, queueSeconds: 604_801 };
    expect(issuesOf(() => read(settings({ limits })))).toEqual([
      'limits.sessionSeconds: must be at most 604800 (one week)',
      'limits.idleSeconds: must be at most 604800 (one week)',
      'limits.queueSeconds: must be at most 604800 (one week)',
    ]);
  });

  test.each([
    ['publicUrl', 'https://school.example/a%20b', 'must consist of scheme, host, port and a simple path'],
    ['publicUrl', 'https://school.example/a//b', 'must consist of scheme, host, port and a simple path'],
    ['publicUrl', 'https://school.example/?a=b', 'must consist of scheme, host, port and a simple path'],
    ['publicUrl', 'https://user@school.example', 'must consist of scheme, host, port and a simple path'],
    ['publicUrl', 'porthole.example.org', 'must be an http:// or https:// URL'],
    ['allowedOrigins.0', 'https://portal.example/start', 'must not have a path'],
    ['frameAncestors.0', 'https://portal.example/start', 'must not have a path'],
    ['clusters.0.urls.0', 'https://pve1:8006/api2/json', 'must not have a path'],
    ['clusters.0.nodes.pve1', 'https://pve1:8006/api2/json', 'must not have a path'],
    ['relayUrl', 'wss://relay.example/path?token=x', 'must consist of scheme, host, port and path'],
  ])('has a URL in %s, %s, of which a part would be ignored', (path, url, message) => {
    const [name = '', , field] = path.split('.');
    const cluster = field === 'nodes' ? { nodes: { pve1: url } } : { urls: [url] };
    const value = name === 'clusters' ? [aCluster(cluster)] : path.endsWith('.0') ? [url] : url;
    expect(issuesOf(() => read(settings({ [name]: value })))).toEqual([
      expect.stringContaining(`${path}: ${message}`),
    ]);
  });

  test.each(['/api', '/console', '/console/lab', '/relay/', '/assets', '/sessions'])(
    'has a publicUrl with the path %s, which could be one of Porthole itself',
    (path) => {
      expect(issuesOf(() => read(settings({ publicUrl: `https://school.example${path}` })))).toEqual([
        'publicUrl: must not have a path that begins with /api, /assets, /console, /embed, /lti, /relay or /sessions',
      ]);
    },
  );

  test('has a CA together with fingerprints', () => {
    write('ca.pem', 'x');
    const tls = { caFile: 'ca.pem', fingerprints: Array(32).fill('ab').join(':') };
    expect(issuesOf(() => read(settings({ clusters: [aCluster({ tls })] })))).toEqual([
      'clusters.0.tls: specify caFile or fingerprints, not both',
    ]);
  });

  test('is a file that is missing or contains no settings', () => {
    expect(issuesOf(() => readConfig({ PORTHOLE_CONFIG: 'gone.yaml', PORTHOLE_X: 'x' }, folder()))).toEqual([
      'gone.yaml: cannot be read (ENOENT)',
      'PORTHOLE_X: unknown setting',
    ]);
    for (const text of ['- a\n- b', 'just a text', '42'])
      expect(issuesOf(() => read(text))).toEqual([expect.stringContaining('must contain settings')]);
  });

  test('is a text in PORTHOLE_CONFIG_YAML that is invalid, or one beside a file', () => {
    expect(issuesOf(() => readConfig({ PORTHOLE_CONFIG_YAML: '\tlogLevel: info' }, folder()))).toEqual([
      'PORTHOLE_CONFIG_YAML: line 1, column 1: indent with spaces, not tabs',
    ]);
    expect(issuesOf(() => readConfig({ PORTHOLE_CONFIG_YAML: '42' }, folder()))).toEqual([
      'PORTHOLE_CONFIG_YAML: must contain settings, one "name: value" per line',
    ]);
    expect(issuesOf(() => read(settings(), { PORTHOLE_CONFIG_YAML: 'logLevel: info' }))).toEqual([
      'PORTHOLE_CONFIG_YAML: specify PORTHOLE_CONFIG or PORTHOLE_CONFIG_YAML, not both',
    ]);
  });

  test.each([
    ['logLevel: info\nlogLevel: warn', 'line 2, column 1: duplicate setting'],
    ['\tlogLevel: info', 'line 1, column 1: indent with spaces, not tabs'],
    ['grantKeys: "abc', 'line 1, column 16: a quote or a bracket is not closed'],
    ['grantKeys: @abc', 'line 1, column 12: a value that begins with a special character needs quotes'],
    ['grantKeys: !abc', 'line 1, column 12: a value that begins with "!" needs quotes'],
    ['grantKeys: *abc', 'a value that begins with "*" needs quotes'],
  ])('is invalid YAML such as %j, and the issue has its position', (text, issue) => {
    expect(issuesOf(() => read(text))).toEqual([`porthole.yaml: ${issue}`]);
  });

  test('never quotes a secret', () => {
    const aSecret = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      .map((odd) => `${odd}hunter2${odd}`);
    const asWritten = fc.constantFrom(
      (secret: string) => secret,
      (secret: string) => `"${secret}`,
      (secret: string) => `'${secret}`,
      (secret: string) => `|${secret}`,
      (secret: string) => `!${secret} x`,
      (secret: string) => `*${secret}`,
      (secret: string) => `&${secret} [`,
      (secret: string) => `{${secret}`,
      (secret: string) => JSON.stringify([secret]),
      (secret: string) => JSON.stringify(secret),
    );
    const warnings: string[] = [];
    const listener = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', listener);
    fc.assert(
      fc.property(aSecret, asWritten, fc.integer({ min: 0, max: 4 }), (secret, write, place) => {
        const line = (index: number) => (index === place ? write(secret) : 'fine');
        const file = [
          `grantKeys: ${line(0)}`,
          'clusters:',
          '  - urls: http://wrong',
          '    credential:',
          `      token: ${line(1)}`,
          `      secret: ${line(2)}`,
          'redis:',
          `  url: ${line(3)}`,
          `  password: ${line(4)}`,
        ].join('\n');
        const env = { PORTHOLE_PROXMOX_PASSWORD: secret, PORTHOLE_REDIS_URL: `redis//:${secret}@x` };
        const message = new ConfigError(issuesOf(() => read(file, env))).message;
        expect(message).not.toContain('hunter2');
      }),
      { numRuns: 300 },
    );
    process.off('warning', listener);
    expect(warnings).toEqual([]);
  });
});
