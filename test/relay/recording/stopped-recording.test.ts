import { createRegistry } from '@porthole/shared/telemetry/metrics';
import type { AuditEvent } from '@porthole/shared/audit/events';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import type { RecordPartOptions } from '@porthole/relay/recording/part-recorder';
import { beginRecording } from '@porthole/relay/session/recorded-session';
import { SessionLifecycle } from '@porthole/relay/session/lifecycle';
import type { RelayCluster } from '@porthole/relay/upstream/machine';
import { createRelayMetrics } from '@porthole/relay/metrics';
import { createFakeClock } from '../../fakes/clock.ts';
import { newAddress } from '../../shared/recording/sample-recording.ts';
import { recordedLog } from '../../shared/store/store-harness.ts';
import { relayReadings } from '../relay-readings.ts';
import { aGrant } from '../rig.ts';
import { recorded } from './recorded-rig.ts';

/** How a part begins that continues a recording. */
const gap = { type: 'mark', name: 'gap', text: '' } as const;

/** A console that is being recorded, and whose storage fails when the test says so. */
async function aRecordedConsole(mode: 'required' | 'try') {
  const clock = createFakeClock();
  const sent: ControlMessage[] = [];
  const audited: AuditEvent[] = [];
  const records: RecordingRecord[] = [];
  const ends: string[] = [];
  let options: RecordPartOptions | undefined;
  const registry = createRegistry();
  const lifecycle = new SessionLifecycle(() => {});
  const address = newAddress();
  const recording = await beginRecording(
    {
      clock,
      log: recordedLog().log,
      audit: (event) => void audited.push(event),
      metrics: createRelayMetrics(registry, relayReadings),
      relayId: 'relay-0',
      recordings: {
        state: () => 'ok',
        async record(given) {
          options = given;
          return {
            address,
            screen() {},
            terminalOutput() {},
            record: (record) => void records.push(record),
            end: (reason) => void ends.push(reason),
          };
        },
      },
    },
    { machine: { cluster: { name: 'lab' } as RelayCluster, node: 'pve2' } },
    {
      claims: aGrant(clock, recorded({ mode, continues: { recording: address.recording, ordinal: 3 } })),
      lifecycle,
      sendControl: (message) => void sent.push(message),
    },
  );
  return { recording, lifecycle, sent, audited, records, ends, registry, address, options: () => options };
}

test('a console that must be recorded ends when its recording cannot go on', async () => {
  const { lifecycle, ends, records, options } = await aRecordedConsole('required');
  options()?.onFull();
  expect(lifecycle.error).toMatchObject({ code: 'recording_stopped', close: 'not_recorded' });
  await lifecycle.release();
  expect(ends).toEqual(['recording_stopped']);
  expect(records).toEqual([gap]);
});

test('a console that is recorded if possible goes on without, with a mark, and its page is told', async () => {
  const { lifecycle, sent, audited, records, ends, registry, options } = await aRecordedConsole('try');
  expect(await registry.metrics()).toContain('porthole_relay_recorded_sessions 1');
  options()?.onFull();
  options()?.onUnreadable?.('again');
  expect(lifecycle.signal.aborted).toBe(false);
  expect(records).toEqual([gap, { type: 'mark', name: 'stopped', text: 'the spool is full' }]);
  expect(sent).toEqual([{ type: 'not_recorded' }]);
  expect(audited).toEqual([expect.objectContaining({ event: 'console_not_recorded', reason: 'stopped' })]);
  expect(ends).toEqual(['recording_stopped']);
  const metrics = await registry.metrics();
  expect(metrics).toContain('porthole_relay_recorded_sessions 0');
  expect(metrics).toContain('porthole_relay_recording_parts_total{result="stopped"} 1');
  lifecycle.end(new Error('test'));
  await lifecycle.release();
});

test.each(['required', 'try'] as const)(
  'a console with `%s` opens again when its recorder is lost',
  async (mode) => {
    const { lifecycle, ends, sent, options } = await aRecordedConsole(mode);
    options()?.onLost?.();
    expect(lifecycle.error).toMatchObject({ code: 'recording_interrupted', close: 'moving' });
    await lifecycle.release();
    expect([ends, sent]).toEqual([['recording_interrupted'], []]);
  },
);

test('a connection continues the recording of the one before, marks the gap, and says so to the next one', async () => {
  const { recording, records, options, address, lifecycle, ends } = await aRecordedConsole('required');
  expect(records).toEqual([gap]);
  expect(options()).toMatchObject({
    recording: address.recording,
    ordinal: 3,
    facts: { relay: 'relay-0', machine: { node: 'pve2' }, rule: 'exam' },
  });
  const claims = recording.continuedBy(aGrant(createFakeClock(), recorded()));
  expect(claims.recording).toMatchObject({ continues: { recording: address.recording, ordinal: 4 } });
  lifecycle.end(new Error('test'));
  await lifecycle.release();
  expect(ends).toEqual(['internal']);
});

test('observers are recorded as they come and go', async () => {
  const { recording, records, sent } = await aRecordedConsole('required');
  const send = recording.observing((message) => void sent.push(message));
  send({ type: 'observers', by: ['Ada'], others: 0 });
  send({ type: 'observers', by: ['Ben'], others: 2 });
  expect(records.slice(1)).toEqual([
    { type: 'observer', joined: true, user: 'Ada' },
    { type: 'observer', joined: false, user: 'Ada' },
    { type: 'observer', joined: true, user: 'Ben' },
  ]);
  expect(sent).toHaveLength(2);
});
