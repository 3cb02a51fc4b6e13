import fc from 'fast-check';
import { PortholeError } from '@porthole/shared/errors';
import { createLog } from '@porthole/shared/telemetry/log';
import { createTracing, noTracing } from '@porthole/shared/telemetry/tracing';
import { openTracing } from '@porthole/shared/telemetry/tracing-component';
import { parseTraceparent, writeTraceparent } from '@porthole/shared/telemetry/traceparent';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { createOtlpReceiver, type OtlpReceiver } from '../../fakes/otlp-receiver.ts';

describe('a traceparent', () => {
  const anId = (length: number) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: length, maxLength: length })
      .map((digits) => digits.join(''))
      .filter((id) => /[^0]/.test(id));

  test('is read as it was written', () => {
    fc.assert(
      fc.property(anId(32), anId(16), fc.boolean(), (traceId, spanId, sampled) => {
        const parent = { traceId, spanId, sampled };
        expect(parseTraceparent(writeTraceparent(parent))).toEqual(parent);
      }),
    );
  });

  test.each([
    undefined,
    '',
    '00-00000000000000000000000000000000-0000000000000001-01',
    '00-00000000000000000000000000000001-0000000000000000-01',
    '01-00000000000000000000000000000001-0000000000000001-01',
    '00-0000000000000000000000000000000A-0000000000000001-01',
    '00-00000000000000000000000000000001-0000000000000001-01-more',
    ' 00-00000000000000000000000000000001-0000000000000001-01',
  ])('is invalid if it is %s', (text) => expect(parseTraceparent(text)).toBeUndefined());
});

test('without an endpoint, nothing is recorded and work just runs', async () => {
  const { tracing, components: parts } = openTracing(
    { tracing: { sampleRatio: 1 } },
    { service: 'test', clock: systemClock, log: silent },
  );
  expect([tracing, parts]).toEqual([noTracing, []]);
  const span = tracing.startSpan('open', {
    parent: '00-00000000000000000000000000000001-0000000000000001-01',
  });
  expect([span.traceparent, span.traceId]).toEqual([undefined, undefined]);
  expect(await span.run(() => tracing.withSpan('step', {}, async () => 7))).toBe(7);
  await expect(tracing.withSpan('step', {}, () => Promise.reject(new Error('as it is')))).rejects.toThrow(
    'as it is',
  );
});

const silent = createLog({ service: 'test', level: 'silent' });

describe('what is recorded', () => {
  let receiver: OtlpReceiver;
  beforeEach(async () => {
    receiver = await createOtlpReceiver();
  });
  afterEach(() => receiver.stop());

  async function open(sampleRatio = 1) {
    const logged: string[] = [];
    const log = createLog({
      service: 'test',
      level: 'info',
      destination: { write: (line: string) => void logged.push(line) },
    });
    const { tracing, components: parts } = openTracing(
      { tracing: { endpoint: new URL(receiver.url), sampleRatio } },
      { service: 'porthole-test', clock: systemClock, log },
    );
    for (const part of parts) await part.start?.();
    const stop = async () => {
      for (const part of parts) await part.stop?.();
    };
    return { tracing, stop, logged };
  }
  const named = (name: string) => receiver.spans.find((span) => span.name === name);

  test('arrives as a tree, with error codes but without error messages', async () => {
    const { tracing, stop } = await open();
    const root = tracing.startSpan('open', { kind: 'server', attributes: { 'porthole.vmid': 100 } });
    const secret = new PortholeError('proxmox_permission', {
      detail: 'a detail',
      cause: new Error('a cause'),
    });
    await root.run(async () => {
      await tracing.withSpan('step', {}, () =>
        tracing.withSpan('call', { 'url.path': '/x' }, async () => {}),
      );
      await tracing.withSpan('bad step', {}, () => Promise.reject(secret)).catch(() => {});
    });
    root.end();
    await stop();
    const [open_, step, call, bad] = ['open', 'step', 'call', 'bad step'].map(named);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(open_).toMatchObject({
      parentId: '',
      service: 'porthole-test',
      attributes: { 'porthole.vmid': 100 },
    });
    expect(step?.parentId).toBe(open_?.spanId);
    expect(call?.parentId).toBe(step?.spanId);
    expect(bad).toMatchObject({ failed: true, attributes: { 'error.type': 'proxmox_permission' } });
    expect(receiver.received().toString('latin1')).not.toMatch(/a detail|a cause/);
  });

  test('continues the trace of another service, or links to one', async () => {
    const { tracing, stop } = await open();
    const parent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
    tracing.startSpan('part', { parent }).end();
    tracing.startSpan('later', { follows: parent }).end();
    await stop();
    expect(named('part')).toMatchObject({ traceId: parent.slice(3, 35), parentId: '0123456789abcdef' });
    expect(named('later')).toMatchObject({ parentId: '', links: [parent.slice(3, 35)] });
    expect(named('later')?.traceId).not.toBe(parent.slice(3, 35));
  });

  test('follows the sampling of the parent, or else the ratio', async () => {
    const { tracing, stop } = await open(0);
    tracing.startSpan('mine').end();
    tracing.startSpan('chosen', { parent: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01' }).end();
    tracing
      .startSpan('not chosen', { parent: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-00' })
      .end();
    await stop();
    expect(receiver.spans.map(({ name }) => name)).toEqual(['chosen']);
  });

  test('work without an active span has no spans, and a second end has no effect', async () => {
    const { tracing, stop } = await open();
    await tracing.withSpan('no parent', {}, async () => {});
    const span = tracing.startSpan('once');
    span.end();
    span.end(new Error('too late'));
    await stop();
    expect(receiver.spans.map(({ name, failed }) => [name, failed])).toEqual([['once', false]]);
  });

  test('is lost if the collector rejects it, which is logged once, and does not delay the stop', async () => {
    receiver.answer(400);
    const { tracing, stop, logged } = await open();
    tracing.startSpan('lost').end();
    await stop();
    await eventually('it is said', () => logged.length > 0);
    expect(logged.filter((line) => line.includes('traces cannot be exported'))).toHaveLength(1);
  });
});

test('a tracer that is loaded later is used from then on', () => {
  const tracing = createTracing({ clock: systemClock, tracer: () => undefined });
  expect(tracing.startSpan('early').traceparent).toBeUndefined();
});
