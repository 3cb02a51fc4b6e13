import type { PlatformStorage } from './step.ts';

/** The part of a window that this module uses. */
export interface StorageWindow {
  readonly parent: object;
  readonly opener: object | null;
  addEventListener(type: 'message', listener: (event: StorageMessage) => void): void;
  removeEventListener(type: 'message', listener: (event: StorageMessage) => void): void;
}

export interface StorageMessage {
  readonly origin: string;
  readonly data: unknown;
}

interface Ports {
  readonly window: StorageWindow;
  readonly messageId: () => string;
  /** Returns a function that cancels. */
  readonly after: (ms: number, run: () => void) => () => void;
}

interface Target {
  postMessage(message: object, origin: string): void;
}

const answerMs = 5000;

/**
 * Stores or reads a value of this browser at the learning platform (1EdTech LTI postMessage Storage 0.1). Resolves with
 * the value, or undefined if the platform does not answer or has no such value. Only the platform's origin gets the
 * message, and only its answers count.
 */
export function askPlatform(
  ports: Ports,
  { target: name, origin, key }: PlatformStorage,
  subject: 'lti.put_data' | 'lti.get_data',
  value?: string,
): Promise<string | undefined> {
  const { window: own } = ports;
  const target = findTarget(own, name);
  if (!target) return Promise.resolve(undefined);
  const messageId = ports.messageId();
  return new Promise((resolve) => {
    const finish = (found: string | undefined) => {
      cancel();
      own.removeEventListener('message', listen);
      resolve(found);
    };
    const listen = (event: StorageMessage) => {
      if (event.origin !== origin || typeof event.data !== 'object' || event.data === null) return;
      const answer = event.data as Readonly<Record<string, unknown>>;
      if (answer['subject'] !== `${subject}.response` || answer['message_id'] !== messageId) return;
      const found = answer['value'];
      finish(answer['error'] === undefined && typeof found === 'string' ? found : undefined);
    };
    const cancel = ports.after(answerMs, () => finish(undefined));
    own.addEventListener('message', listen);
    target.postMessage(
      { subject, message_id: messageId, key, ...(value === undefined ? {} : { value }) },
      origin,
    );
  });
}

/** "_parent" is the window around this one, or the one that opened it. Any other name is a frame in there. */
function findTarget(own: StorageWindow, name: string): Target | undefined {
  const around = (own.parent === own ? own.opener : own.parent) as
    (Target & { readonly frames: Readonly<Record<string, Target | undefined>> }) | null;
  if (!around || name === '_parent') return around ?? undefined;
  try {
    const found = around.frames[name];
    // The name can be that of another property, such as `location`.
    return typeof found?.postMessage === 'function' ? found : undefined;
  } catch {
    // A window of another origin without a frame of this name.
    return undefined;
  }
}
