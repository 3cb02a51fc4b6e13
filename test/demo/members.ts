import type { RfbClient } from '../fakes/guests/rfb-client.ts';
import { connectConsole } from '../relay/console-client.ts';
import { classmates, desktopOf } from './demo.ts';
import { requestGrant, signIn } from './api-calls.ts';
import { pause } from './pause.ts';

/** What the members type, one after the other, again and again. */
const commands = ['help', 'about', 'date', 'clear'] as const;
const typingMs = 4000;
const reopenMs = 5000;

/** Members of the demo's class who work at their machines, without browsers. */
export interface DemoMembers {
  /** Resolves when all of them have a console. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Signs in members whose machines run, opens their consoles and types. Two of them raise a hand. A console that was ended
 * is opened again after some seconds.
 */
export function startDemoMembers(origin: string, basePath = ''): DemoMembers {
  const base = `${origin}${basePath}`;
  const stopping = new AbortController();
  const { signal } = stopping;
  const working: Promise<void>[] = [];

  async function start(): Promise<void> {
    const opened: Promise<void>[] = [];
    for (const [index, { name }] of classmates.entries()) {
      const desktop = desktopOf(index);
      if (!desktop.running) continue;
      // One after the other, because each password check takes a while.
      const cookie = await signIn(base, name);
      const first = Promise.withResolvers<void>();
      opened.push(first.promise);
      const handText = index === 2 ? 'My disk is full' : index === 5 ? '' : undefined;
      working.push(
        work({ origin, base, cookie, vmid: desktop.vmid, handText, signal, onOpen: first.resolve }),
      );
      if (signal.aborted) return;
    }
    await Promise.all(opened);
  }

  const ready = start().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    ready,
    async stop() {
      stopping.abort();
      await ready;
      await Promise.all(working);
    },
  };
}

interface Work {
  readonly origin: string;
  /** Where Porthole is, without a trailing slash. */
  readonly base: string;
  readonly cookie: string;
  readonly vmid: number;
  /** Undefined: the hand stays down. */
  readonly handText: string | undefined;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
}

/** Keeps one console open and types into it, until the signal is aborted. */
async function work({ origin, base, cookie, vmid, handText, signal, onOpen }: Work): Promise<void> {
  while (!signal.aborted) {
    const grant = await requestGrant(base, cookie, vmid, { mode: 'control' }).catch(() => undefined);
    if (grant && !signal.aborted) {
      const client = connectConsole({ ...grant, origin });
      const close = () => client.close();
      signal.addEventListener('abort', close, { once: true });
      const rfb = await client.rfb().catch(() => undefined);
      onOpen();
      if (rfb && handText !== undefined)
        client.socket.send(JSON.stringify({ type: 'help', raised: true, text: handText }));
      const stopTyping = rfb ? startTyping(rfb, vmid) : () => {};
      await client.closed;
      stopTyping();
      signal.removeEventListener('abort', close);
    }
    await pause(reopenMs, signal);
  }
}

function startTyping(rfb: RfbClient, seed: number): () => void {
  let round = seed;
  const timer = setInterval(() => {
    rfb.type(`${commands[round % commands.length] ?? ''}\n`);
    round += 1;
  }, typingMs);
  return () => clearInterval(timer);
}
