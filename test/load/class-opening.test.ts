import { delayProfileNames } from '../fakes/proxmox/delay-profiles.ts';
import { describeWith } from '../needs.ts';
import { measureClassOpening, reportClassOpenings } from './class-opening.ts';

/** Asserts no figures. `npm run bench -- --only class` measures a class of 300. */
describeWith('redis')('a class that opens its consoles at the same moment', () => {
  test.each(delayProfileNames)(
    'gets a picture for every user, with one attempt each, at a Proxmox with %s delays',
    async (delays) => {
      // A node opens three consoles at a time, so two users wait.
      const opening = await measureClassOpening({ users: 8, nodes: 2, relays: 2, delays });
      expect(opening.pictures).toHaveLength(8);
      expect(opening).toMatchObject({ grants: 8, vncproxyCalls: 8 });
      if (delays === 'real-life') expect(opening.queued).toBeGreaterThanOrEqual(2);
      expect(reportClassOpenings([opening])).not.toContain('NaN');
    },
    120_000,
  );
});
