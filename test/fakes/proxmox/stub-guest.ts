import { duplexPair, type Duplex } from 'node:stream';
import type { Guest } from '../guests/guest.ts';

export interface StubGuest extends Guest {
  readonly passwords: string[];
  /** The guest's ends of the connections to it. */
  readonly connections: Duplex[];
  received(index?: number): string;
}

/** A guest without a screen: sends the first twelve bytes of RFB, then echoes. */
export function createStubGuest(): StubGuest {
  const passwords: string[] = [];
  const connections: Duplex[] = [];
  const heard: Buffer[][] = [];
  const listeners = new Set<() => void>();
  let running = false;
  const halt = async () => {
    running = false;
    for (const connection of connections) connection.end();
    for (const listener of listeners) listener();
    await Promise.resolve();
  };
  return {
    passwords,
    connections,
    received: (index = 0) => Buffer.concat(heard[index] ?? []).toString('latin1'),
    get running() {
      return running;
    },
    async start() {
      running = true;
      await Promise.resolve();
    },
    stop: halt,
    shutdown: halt,
    reset: () => Promise.resolve(),
    async setPassword(password) {
      passwords.push(password);
      await Promise.resolve();
    },
    async connect() {
      await Promise.resolve();
      const [ours, theirs] = duplexPair();
      const bytes: Buffer[] = [];
      heard.push(bytes);
      ours.on('data', (chunk: Buffer) => {
        bytes.push(chunk);
        ours.write(chunk);
      });
      ours.write('RFB 003.008\n');
      connections.push(ours);
      return theirs;
    },
    onStopped(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: halt,
  };
}
