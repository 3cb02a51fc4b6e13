import { auditLineSchema } from '@porthole/shared/audit/events';
import { eventually } from '../../eventually.ts';
import { createRelayRig, type RelayRig } from '../rig.ts';

describe('the audit events of a relay', () => {
  let rig: RelayRig;
  beforeEach(async () => {
    rig = await createRelayRig();
  });
  afterEach(() => rig.stop());

  const audited = (count: number) =>
    eventually(`there are ${count} audit events`, () => rig.audited.length === count);
  const subject = {
    user: { id: 'student', name: 'Student' },
    login: 'login-1',
    machine: { cluster: 'lab', vmid: 100, name: 'lab-100', node: 'pve1', type: 'qemu' },
    kind: 'screen',
  };

  test('report that a console was opened, and after its end its duration, its bytes and the cause', async () => {
    const client = await rig.open({ sessionId: 'the-session', mode: 'view', observer: true });
    const rfb = await client.rfb();
    await audited(1);
    expect(rig.audited[0]).toMatchObject({
      event: 'console_opened',
      session: 'the-session',
      ...subject,
      mode: 'view',
      observer: true,
      resumed: false,
    });
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    client.close();
    await audited(2);
    const ended = rig.audited[1];
    expect(ended).toMatchObject({
      event: 'console_ended',
      session: 'the-session',
      ...subject,
      end: 'by_viewer',
    });
    if (ended?.event !== 'console_ended') throw new Error('no end');
    expect(ended.bytes.toViewer).toBeGreaterThan(1000);
    expect(ended.bytes.toMachine).toBeGreaterThan(0);
    expect(ended.seconds).toBeGreaterThanOrEqual(0);
  });

  test('report why a grant led to no console', async () => {
    const client = await rig.open({ vmid: 999 });
    await client.closed;
    await audited(1);
    expect(rig.audited[0]).toMatchObject({
      event: 'console_open_failed',
      machine: { vmid: 999 },
      end: 'machine_not_found',
    });
  });

  test('have only fields that their schema names', async () => {
    const client = await rig.open();
    await client.rfb();
    client.close();
    await audited(2);
    for (const { event, ...fields } of rig.audited)
      expect(
        auditLineSchema(event).safeParse({
          audit: 1,
          time: new Date().toISOString(),
          service: 'relay',
          event,
          ...fields,
        }).error,
      ).toBeUndefined();
  });
});
