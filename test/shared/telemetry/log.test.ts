import fc from 'fast-check';
import { PortholeError } from '@porthole/shared/errors';
import { createLog, type LogLevel } from '@porthole/shared/telemetry/log';

interface Line {
  readonly level: string;
  readonly service: string;
  readonly time: string;
  readonly msg?: string;
  readonly err?: Described;
  readonly [field: string]: unknown;
}

interface Described {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly detail?: string;
  readonly stack?: string;
  readonly cause?: Described;
}

/** A log kept in memory, and its last line. */
function aLog(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = createLog({ service: 'test', level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Line };
}

function described(error: unknown): Described {
  const { log, last } = aLog();
  log.error({ err: error }, 'it failed');
  return last().err as Described;
}

describe('a line of the log', () => {
  test('is JSON with time, level in words, and service', () => {
    const { log, last } = aLog();
    log.info({ vmid: 100 }, 'console opened');
    expect(last()).toMatchObject({ level: 'info', service: 'test', vmid: 100, msg: 'console opened' });
    expect(Date.parse(last().time)).not.toBeNaN();
  });

  test('is written at its level and above only', () => {
    const { log, lines } = aLog('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines).toHaveLength(2);
    const silent = aLog('silent');
    silent.log.fatal('x');
    expect(silent.lines).toEqual([]);
  });

  test('redacts secret fields of an object, at the top level and one below, also in a child log', () => {
    const { log, lines } = aLog();
    const fields = [
      'password',
      'ticket',
      'token',
      'secret',
      'cookie',
      'authorization',
      'CSRFPreventionToken',
    ];
    const secrets = Object.fromEntries(fields.map((field) => [field, `hunter2 ${field}`]));
    log.info(secrets, 'top');
    log.info({ request: secrets }, 'below');
    log.child({ credential: secrets }).info('child');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).toContain('[redacted]');
  });
});

describe('an error in the log', () => {
  test('keeps its code, its detail and the chain of its causes', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(described(new PortholeError('proxmox_unreachable', { detail: 'pve1:8006', cause }))).toMatchObject(
      {
        name: 'PortholeError',
        message: 'Proxmox is unreachable.',
        code: 'proxmox_unreachable',
        detail: 'pve1:8006',
        stack: expect.stringContaining('log.test.ts'),
        cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
      },
    );
  });

  test('shows no other fields', () => {
    const error = Object.assign(new Error('x'), { request: { headers: 'hunter2' }, url: 'hunter2' });
    expect(Object.keys(described(error)).toSorted()).toEqual(['message', 'name', 'stack']);
  });

  const url = 'wss://pve1:8006/vncwebsocket?port=5900&vncticket=PVEVNC:hunter2';

  test('has no query string in any field', () => {
    const error = new PortholeError('console_lost', {
      detail: `GET ${url} failed`,
      cause: new Error(`cannot open <${url}>`, { cause: new Error(url) }),
    });
    error.stack = `Error: ${url}\n    at x (${url})`;
    const text = JSON.stringify(described(error));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('vncwebsocket?…');
  });

  test('has no query string if a text was thrown or the error itself was logged', () => {
    expect(JSON.stringify(described(`GET ${url}`))).not.toContain('hunter2');
    const { log, lines } = aLog();
    log.error(new Error(`GET ${url}`));
    log.error({ err: new Error(`GET ${url}`) });
    log.error(new Error(`GET ${url}`), 'it failed');
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.map((line) => (JSON.parse(line) as Line).msg)).toEqual([
      'GET wss://pve1:8006/vncwebsocket?…',
      'GET wss://pve1:8006/vncwebsocket?…',
      'it failed',
    ]);
  });

  test('with itself as its cause is described once per level', () => {
    const error = new Error('round');
    error.cause = new Error('and round', { cause: error });
    const depth = JSON.stringify(described(error)).split('"cause"').length - 1;
    expect(depth).toBeLessThanOrEqual(4);
  });

  test('of excessive size is truncated', () => {
    const monstrous = '? '.repeat(1_000_000);
    const error = new PortholeError('internal', { detail: monstrous, cause: new Error(monstrous) });
    const { log, lines } = aLog();
    log.error({ err: error }, 'x');
    log.error({ err: '?'.repeat(1_000_000) }, 'x');
    for (const line of lines) expect(line.length).toBeLessThan(32_000);
  });

  test('with many question marks is sanitized in linear time', () => {
    // Each question mark may begin a query string: quadratic when each looks ahead to the end.
    expect(described(new Error('?'.repeat(2_000_000))).name).toBe('Error');
  });

  const hostile: Record<string, () => unknown> = {
    'a message that throws': () =>
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('got you');
        },
      }),
    'a stack that throws': () =>
      Object.defineProperty(new Error('x'), 'stack', {
        get() {
          throw new Error('got you');
        },
      }),
    'a code, a detail and a cause that throw': () =>
      Object.defineProperties(
        new Error('x'),
        Object.fromEntries(
          ['code', 'detail', 'cause'].map((field) => [
            field,
            {
              get() {
                throw new Error('got you');
              },
            },
          ]),
        ),
      ),
    'a message that is no text': () => Object.assign(new Error('x'), { message: 42, stack: {}, name: null }),
    'no prototype': () => Object.create(null) as unknown,
    'a toString that throws': () => ({
      toString() {
        throw new Error('got you');
      },
    }),
    'a proxy that throws at everything': () =>
      new Proxy(new Error('x'), {
        get() {
          throw new Error('got you');
        },
        getPrototypeOf() {
          throw new Error('got you');
        },
      }),
    'a symbol': () => Symbol('x'),
    nothing: () => undefined,
  };

  test.each(Object.keys(hostile))('with %s does not make the log throw', (name) => {
    const { log, lines } = aLog();
    expect(() => log.error({ err: hostile[name]?.() }, 'it failed')).not.toThrow();
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'it failed' });
  });

  test('is always one line of JSON', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string({ unit: 'binary' }), (thrown, message) => {
        const { log, lines } = aLog();
        log.error({ err: thrown }, 'x');
        log.error({ err: new Error(message, { cause: thrown }) }, 'x');
        expect(lines).toHaveLength(2);
        for (const line of lines) expect(JSON.parse(line)).toMatchObject({ msg: 'x' });
      }),
    );
  });
});
