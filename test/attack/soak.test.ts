import { describeWith } from '../needs.ts';
import { exceeded, formatReport } from './soak-report.ts';
import { soak } from './soak.ts';
import { threat } from './threat-table.ts';

describeWith('redis')(threat('R1'), () => {
  test('a relay holds after many clients, honest and hostile, what it held before', async () => {
    const result = await soak(6);
    // The report says by how much.
    expect([exceeded(result), formatReport(result)]).toEqual([[], expect.any(String)]);
    expect(result.clients).toBeGreaterThan(50);
    expect(result.adopted).toBeGreaterThan(3);
  }, 180_000);
});
