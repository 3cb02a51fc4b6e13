import { freePort } from '../../free-port.ts';
import { describeWith } from '../../needs.ts';
import { startProcess, type ServiceProcess } from '../../standalone/service-process.ts';
import { useDoctor } from './doctor-rig.ts';

const { aCluster, aRedis, pathOf, runDoctor } = useDoctor();

describeWith('redis')('the doctor', () => {
  beforeEach(async () => {
    await aRedis();
  });

  describe('reports', () => {
    describe('asked about a relay', () => {
      let relay: ServiceProcess | undefined;
      afterEach(() => {
        relay?.signal('SIGKILL');
        relay = undefined;
      });
      /** Starts a relay with the checked configuration and other environment variables. */
      const aRelay = async (different: Record<string, string> = {}) => {
        await aCluster();
        await runDoctor();
        const port = await freePort();
        relay = startProcess('services/relay/src/main.ts', [], {
          PORTHOLE_CONFIG: pathOf('porthole.yaml'),
          PORTHOLE_LISTEN: `127.0.0.1:${port}`,
          PORTHOLE_OPERATIONS_LISTEN: `127.0.0.1:${await freePort()}`,
          ...different,
        });
        await relay.printed('"ready"');
        return `http://127.0.0.1:${port}`;
      };

      test('no problem if a console would open', async () => {
        const { code, text } = await runDoctor({}, ['--relay', await aRelay()]);
        expect([code, text]).toEqual([0, 'No problems found.\n']);
      });

      test('a relay with other grant keys', async () => {
        const url = await aRelay({ PORTHOLE_GRANT_KEYS: 'o'.repeat(40) });
        const { found } = await runDoctor({}, ['--relay', url]);
        expect(found).toMatchObject([{ kind: 'relay_refused', where: `relay ${new URL(url).host}` }]);
        expect(found[0]?.what).toContain('4401 (grant)');
      });

      test('an unreachable relay', async () => {
        await aCluster();
        const { code, found } = await runDoctor({}, ['--relay', 'wss://127.0.0.1:1']);
        expect([code, found.map(({ kind }) => kind)]).toEqual([1, ['relay_unreachable']]);
      });
    });
  });
});
