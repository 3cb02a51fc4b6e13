import { describeWith } from '../needs.ts';
import { measureClassOpening, reportClassOpening } from './class-opening.ts';

/** Asserts no figures. `npm run bench -- --only class` measures a class of 30 in front of a slow Proxmox. */
describeWith('redis')('a class that opens its consoles at the same moment', () => {
  test('gets a picture for every user, with one attempt each', async () => {
    const opening = await measureClassOpening({ users: 12, delays: 'quick' });
    expect(opening.pictures).toHaveLength(12);
    expect(opening).toMatchObject({ grants: 12, vncproxyCalls: 12 });
    expect(reportClassOpening(opening)).not.toContain('NaN');
  }, 120_000);
});
