import { delayProfileNames } from '../fakes/proxmox/delay-profiles.ts';
import { describeWith } from '../needs.ts';
import { measureClassOpening, reportClassOpening } from './class-opening.ts';

/** Asserts no figures. `npm run bench -- --only class` measures a class of 30. */
describeWith('redis')('a class that opens its consoles at the same moment', () => {
  test.each(delayProfileNames)(
    'gets a picture for every user, with one attempt each, at a Proxmox with %s delays',
    async (delays) => {
      // One user per node, so that no opening waits for another one.
      const opening = await measureClassOpening({ users: 6, delays });
      expect(opening.pictures).toHaveLength(6);
      expect(opening).toMatchObject({ grants: 6, vncproxyCalls: 6 });
      expect(reportClassOpening(opening)).not.toContain('NaN');
    },
    120_000,
  );
});
