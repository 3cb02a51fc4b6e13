import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@porthole/shared/audit/audit';
import { auditEventNames, auditLineSchema, type AuditEvent } from '@porthole/shared/audit/events';
import { auditMetrics, openAuditOutput } from '@porthole/shared/audit/output';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { eventually } from '../../eventually.ts';

const anna = { id: 'local:anna', name: 'anna' };
const signIn: AuditEvent = {
  event: 'sign_in',
  user: anna,
  method: 'local',
  login: '0a',
  address: '192.0.2.7',
};
const started = Date.UTC(2026, 0, 1);

function linesOf(...events: AuditEvent[]): string[] {
  const lines: string[] = [];
  const audit = createAudit({
    service: 'broker',
    clock: { now: () => started },
    write: (line) => lines.push(line),
  });
  for (const event of events) audit(event);
  return lines;
}

describe('an audit', () => {
  test('is one JSON object per line, with time and service, that matches the schema of its event', () => {
    const [line = '', ...more] = linesOf(signIn);
    expect(more).toEqual([]);
    expect(line.endsWith('\n')).toBe(true);
    expect(line.trim()).not.toContain('\n');
    const { event, ...fields } = signIn;
    expect(JSON.parse(line)).toEqual({
      audit: 1,
      time: '2026-01-01T00:00:00.000Z',
      service: 'broker',
      event,
      ...fields,
    });
    expect(auditLineSchema('sign_in').safeParse(JSON.parse(line)).error).toBeUndefined();
  });

  test('is one line, whatever characters a name has', () => {
    const [line = ''] = linesOf({ ...signIn, user: { id: 'x', name: 'a\n{"audit":1}\u2028' } });
    expect(line.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(line)).toMatchObject({ user: { name: 'a\n{"audit":1}\u2028' } });
  });

  test('has no field whose name is that of a secret', () => {
    for (const name of auditEventNames)
      expect(Object.keys(auditLineSchema(name).shape).join(' ')).not.toMatch(
        /password|token|secret|ticket|cookie/,
      );
  });
});

describe('the output of an audit', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-audit-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function open(config: Parameters<typeof openAuditOutput>[0]['config'], stdout: string[] = []) {
    const registry = createRegistry();
    const said: string[] = [];
    const output = openAuditOutput({
      config,
      stdout: { write: (line) => stdout.push(line) },
      log: {
        error: (...words: unknown[]) => void said.push(String(words.at(-1))),
        info: (...words: unknown[]) => void said.push(String(words.at(-1))),
      },
      registry,
    });
    const lost = async () =>
      (await registry.getSingleMetric(auditMetrics.lost.name)?.get())?.values[0]?.value ?? 0;
    return { ...output, said, lost };
  }

  test('is the standard output that the log uses', () => {
    const stdout: string[] = [];
    open({ to: 'stdout' }, stdout).write('a line\n');
    expect(stdout).toEqual(['a line\n']);
  });

  test('writes nothing with "none"', () => {
    const stdout: string[] = [];
    open({ to: 'none' }, stdout).write('a line\n');
    expect(stdout).toEqual([]);
  });

  test('is appended to a file that only its owner can read, and is complete after the stop', async () => {
    const file = join(folder, 'audit.jsonl');
    const first = open({ to: 'file', file });
    first.write('one\n');
    await first.component.stop?.();
    const second = open({ to: 'file', file });
    for (let i = 0; i < 1000; i++) second.write('two\n');
    await second.component.stop?.();
    expect(await readFile(file, 'utf8')).toBe(`one\n${'two\n'.repeat(1000)}`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('continues in a file that was truncated', async () => {
    const file = join(folder, 'audit.jsonl');
    const output = open({ to: 'file', file });
    output.write('old\n');
    await eventually('the line is written', async () => (await readFile(file, 'utf8')) === 'old\n');
    await writeFile(file, '');
    output.write('new\n');
    await output.component.stop?.();
    expect(await readFile(file, 'utf8')).toBe('new\n');
  });

  test('that cannot be opened is a configuration error', () => {
    expect(() => open({ to: 'file', file: join(folder, 'missing', 'audit.jsonl') })).toThrow(/audit\.file/);
  });

  test('on a full disk buffers up to its limit, logs one error, and counts lost events', async () => {
    const output = open({ to: 'file', file: '/dev/full' });
    output.write('x\n');
    await eventually('the fault is said', () => output.said.length > 0);
    const big = `${'x'.repeat(1024 * 1024)}\n`;
    for (let i = 0; i < 20; i++) output.write(big);
    await eventually('lines are lost', async () => (await output.lost()) >= 4);
    expect(output.said).toEqual(['audit events cannot be written']);
    await output.component.stop?.();
  });
});
