import { systemClock } from '@porthole/shared/time/clock';
import { createLog } from '@porthole/shared/telemetry/log';
import { openTracing } from '@porthole/shared/telemetry/tracing-component';
import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { createOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../fakes/otlp-receiver.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, type BrowserUser } from './browser-user.ts';
import { useBrowser } from './scene.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium')('the trace of a console at an OpenTelemetry collector', () => {
  const browser = useBrowser();
  const log = createLog({ service: 'test', level: 'silent' });
  let receiver: OtlpReceiver;
  let stack: Stack;
  let student: BrowserUser;
  let stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    receiver = await createOtlpReceiver();
    const open = async (service: string) => {
      const { tracing, components: parts } = openTracing(
        { tracing: { endpoint: new URL(receiver.url), sampleRatio: 1 } },
        { service, clock: systemClock, log },
      );
      for (const part of parts) await part.start?.();
      stops.push(async () => {
        for (const part of parts) await part.stop?.();
      });
      return tracing;
    };
    stack = await startStack({
      machines: [
        { vmid: 100, node: 'pve1', name: 'student-one', guest: createBuiltinGuest({ name: 'student-one' }) },
        {
          vmid: 101,
          node: 'pve1',
          name: 'student-off',
          guest: createBuiltinGuest({ name: 'off' }),
          running: false,
        },
      ],
      separate: true,
      brokerTracing: await open('porthole-broker'),
      relayTracing: await open('porthole-relay'),
    });
    student = await openBrowserUser(browser(), stack.origin);
    await student.signIn('student');
  });
  afterAll(async () => {
    await student.close();
    await stack.stop();
    for (const stop of stops) await stop();
    await receiver.stop();
  });

  /** Waits for the last span and returns the trace of this machine's console. */
  async function traceOf(vmid: number, last: string): Promise<readonly ReceivedSpan[]> {
    let trace: readonly ReceivedSpan[] = [];
    await eventually(`the span “${last}” arrives`, () => {
      const root = receiver.spans.find(
        ({ name, attributes }) => name === 'grant' && attributes['porthole.vmid'] === vmid,
      );
      trace = receiver.spans.filter(({ traceId }) => traceId === root?.traceId);
      return trace.some(({ name }) => name === last) && trace.some(({ name }) => name === 'grant');
    });
    return trace;
  }
  const below = (trace: readonly ReceivedSpan[], name: string) => {
    const parent = trace.find((span) => span.name === name);
    return trace.filter(({ parentId }) => parentId === parent?.spanId).map((span) => span.name);
  };

  test('covers both services, from the grant to the first picture, with every call to Proxmox', async () => {
    await student.openConsole(100);
    const trace = await traceOf(100, 'console open');
    const grant = trace.find(({ name }) => name === 'grant');
    const open = trace.find(({ name }) => name === 'console open');
    expect(grant).toMatchObject({ service: 'porthole-broker', parentId: '', failed: false });
    expect(open).toMatchObject({ service: 'porthole-relay', parentId: grant?.spanId, failed: false });
    expect(below(trace, 'console open')).toEqual([
      'console admit',
      'console queue',
      'console status',
      'console queue',
      'console console',
      'console connect',
      'console authenticate',
      'console picture',
    ]);
    expect(below(trace, 'console status')).toContain('proxmox GET current');
    expect(below(trace, 'console console')).toEqual(['proxmox POST vncproxy']);
    // The spans follow each other and lie within the root span.
    for (const span of trace) {
      expect(span.end).toBeGreaterThanOrEqual(span.start);
      if (span.service !== 'porthole-relay') continue;
      expect(span.start).toBeGreaterThanOrEqual(open?.start ?? 0n);
      expect(span.end).toBeLessThanOrEqual(open?.end ?? 0n);
    }
    // The logs of both services name the trace.
    const lines = stack.logged.filter((line) => line.includes(grant?.traceId ?? 'none'));
    expect(lines.some((line) => line.includes('/grants"'))).toBe(true);
    expect(lines.some((line) => line.includes('console opened'))).toBe(true);
  });

  test('shows a second viewer as one that is attached to the console of the first', async () => {
    await student.openConsole(100);
    const second = await student.anotherTab();
    await second.openConsole(100);
    const attached = await eventually('the span arrives', () => {
      const found = receiver.spans.find(({ name }) => name === 'console attach');
      return found ?? false;
    });
    expect(attached).toMatchObject({ service: 'porthole-relay', failed: false });
    expect(attached.attributes['porthole.way']).toBe('shared');
    await eventually('its trace is complete', () =>
      receiver.spans.some(({ name, traceId }) => name === 'console open' && traceId === attached.traceId),
    );
    expect(receiver.spans.some(({ spanId }) => spanId === attached.parentId)).toBe(true);
    await second.close();
  });

  test('names the error code of a console that was not opened', async () => {
    await student.visitConsole(101);
    await student.waitForState('machine-off');
    const trace = await traceOf(101, 'console open');
    expect(trace.filter(({ failed }) => failed).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['console status', 'console open']),
    );
    expect(trace.find(({ name }) => name === 'console open')?.attributes['error.type']).toBe(
      'machine_stopped',
    );
  });

  test('contains no secrets, no names of users and no query strings', () => {
    const seen = receiver.received().toString('latin1');
    for (const secret of [...stack.proxmox.issuedSecrets(), stack.grantKey])
      expect(seen.includes(secret)).toBe(false);
    const said = JSON.stringify(receiver.spans.map(({ name, attributes }) => [name, attributes]));
    expect(said).toContain('/nodes/pve1/qemu/100/vncproxy');
    expect(said).not.toMatch(/\?|vncticket|student/i);
  });
});
