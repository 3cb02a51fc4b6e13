import { askPlatform, type StorageMessage } from '../../../services/broker/web/src/lti/platform-storage.ts';

const storage = { target: '_parent', origin: 'https://lms.example', key: 'k' };

/** A window in a frame of a platform, and what it has sent. */
function frame(target = '_parent') {
  const sent: { message: Record<string, unknown>; origin: string }[] = [];
  const listeners = new Set<(event: StorageMessage) => void>();
  const port = {
    postMessage: (message: object, origin: string) =>
      void sent.push({ message: message as Record<string, unknown>, origin }),
  };
  const around: object = {
    ...port,
    frames: {
      storage: port,
      location: {},
      get hidden() {
        throw new Error('a window of another origin');
      },
    },
  };
  const window = {
    parent: around,
    opener: null,
    addEventListener: (_type: 'message', listener: (event: StorageMessage) => void) =>
      void listeners.add(listener),
    removeEventListener: (_type: 'message', listener: (event: StorageMessage) => void) =>
      void listeners.delete(listener),
  };
  let timeOut = () => {};
  const ports = {
    window,
    messageId: () => 'm1',
    after: (_ms: number, run: () => void) => {
      timeOut = run;
      return () => (timeOut = () => {});
    },
  };
  return {
    sent,
    listeners,
    get: () => askPlatform(ports, { ...storage, target }, 'lti.get_data'),
    put: (value: string) => askPlatform(ports, { ...storage, target }, 'lti.put_data', value),
    timeOut: () => timeOut(),
    say(data: unknown, origin = storage.origin) {
      for (const listener of listeners) listener({ data, origin });
    },
  };
}

const answer = { subject: 'lti.get_data.response', message_id: 'm1', key: 'k', value: 'secret' };

describe('the storage of a learning platform', () => {
  test('gets the message for its origin only, and gives back the value', async () => {
    const one = frame();
    const found = one.get();
    expect(one.sent).toEqual([
      { message: { subject: 'lti.get_data', message_id: 'm1', key: 'k' }, origin: storage.origin },
    ]);
    one.say(answer);
    expect(await found).toBe('secret');
    expect(one.listeners.size).toBe(0);
  });

  test('stores a value in the frame that the platform names', async () => {
    const one = frame('storage');
    const stored = one.put('secret');
    expect(one.sent[0]?.message).toMatchObject({ subject: 'lti.put_data', value: 'secret' });
    one.say({ ...answer, subject: 'lti.put_data.response' });
    expect(await stored).toBe('secret');
  });

  test.each([
    ['of another origin', answer, 'https://elsewhere.example'],
    ['to another message', { ...answer, message_id: 'm2' }, undefined],
    ['of another kind', { ...answer, subject: 'lti.put_data.response' }, undefined],
    ['that is no object', 'secret', undefined],
    ['that is nothing', null, undefined],
  ])('is not believed an answer %s', async (_case, data, origin) => {
    const one = frame();
    const found = one.get();
    one.say(data, origin);
    one.timeOut();
    expect(await found).toBeUndefined();
    expect(one.listeners.size).toBe(0);
  });

  test('has no value if it reports an error', async () => {
    const one = frame();
    const found = one.get();
    one.say({ ...answer, error: { code: 'bad_request' } });
    expect(await found).toBeUndefined();
  });

  test.each(['missing', 'location', 'hidden'])(
    'is not asked in the frame %p, which is none',
    async (name) => {
      const one = frame(name);
      expect(await one.get()).toBeUndefined();
      expect(one.sent).toEqual([]);
    },
  );
});
