import { createBroker } from '@porthole/broker/broker';
import { systemClock } from '@porthole/shared/time/clock';
import { ConfigError } from '@porthole/shared/config/read';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { aConfig, type RigOptions } from '../rig.ts';

describe('a configuration is rejected if', () => {
  const start = (options: RigOptions) => () =>
    createBroker({
      config: aConfig(options),
      store: createMemoryStore({ clock: systemClock }),
      clock: systemClock,
      random: systemRandom,
      log: createLog({ service: 'test', level: 'silent' }),
      registry: createRegistry(),
      pagesDir: '/nowhere',
    });

  test.each<[string, RigOptions['config'], RegExp]>([
    [
      'passwords would be sent unencrypted',
      { publicUrl: 'http://porthole.school.example' },
      /publicUrl: use https/,
    ],
    ['the host only looks local', { publicUrl: 'http://127.0.0.1.evil.example' }, /publicUrl: use https/],
    [
      'browsers would block the relay',
      { publicUrl: 'https://school.example', relayUrl: 'ws://relay.school.example' },
      /relayUrl: use wss/,
    ],
    [
      'a rule names an unknown cluster',
      { access: [{ who: { everyone: true }, which: { clusters: ['scool'] }, allow: ['view'] }] },
      /access\.0\.which\.clusters: there is no cluster scool/,
    ],
    [
      'a range ends before it begins',
      { access: [{ who: { everyone: true }, which: { vmids: ['299-200'] }, allow: ['view'] }] },
      /access\.0\.which\.vmids: the range 299-200/,
    ],
    ['there are no keys', { grantKeys: undefined }, /grantKeys/],
  ])('%s', (_why, config, message) => {
    expect(start({ config: config ?? {} })).toThrow(ConfigError);
    expect(start({ config: config ?? {} })).toThrow(message);
  });

  test.each(['http://localhost:8080', 'http://127.0.0.1', 'http://[::1]:80', 'https://school.example'])(
    'but not with %s as the public URL',
    (publicUrl) => {
      expect(start({ config: { publicUrl } })).not.toThrow();
    },
  );
});
