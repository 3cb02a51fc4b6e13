import { connectConsole, type ConsoleClient } from '../relay/console-client.ts';
import { requestGrant, signIn } from './api-calls.ts';
import { exam } from './demo.ts';
import { pause } from './pause.ts';

const onScreen = ['help', 'about', 'date'] as const;
const inTerminal = ['hostname', 'colours', 'seq 12', 'date'] as const;
const keyMs = 60;
const commandMs = 700;

/** A member of the demo's class who takes an exam, so that there are recordings to play. */
export interface DemoExam {
  /** Resolves with the number of consoles that were used until their end, and so were recorded completely. */
  readonly done: Promise<number>;
  stop(): Promise<void>;
}

/** Opens the screen of one machine and the terminal of another one, both recorded, types, and closes them after some seconds. */
export function startDemoExam(origin: string, basePath = ''): DemoExam {
  const base = `${origin}${basePath}`;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function open(cookie: string, vmid: number, kind: 'screen' | 'terminal'): Promise<ConsoleClient> {
    const grant = await requestGrant(base, cookie, vmid, { mode: 'control', kind, consent: true });
    if (!grant) throw new Error(`Machine ${vmid} of the exam cannot be opened.`);
    signal.throwIfAborted();
    const client = connectConsole({ ...grant, origin });
    signal.addEventListener('abort', () => client.close(), { once: true });
    return client;
  }

  async function useScreen(cookie: string): Promise<void> {
    const client = await open(cookie, exam.screen.vmid, 'screen');
    const rfb = await client.rfb();
    // A recording has what its viewer asked for.
    const watching = (async () => {
      for (let incremental = false; ; incremental = true) {
        rfb.requestUpdate(incremental);
        await rfb.nextUpdate();
      }
    })().catch(() => {});
    await typeAll(onScreen, (key) => rfb.type(key), signal);
    client.close();
    await client.closed;
    await watching;
  }

  async function useTerminal(cookie: string): Promise<void> {
    const client = await open(cookie, exam.terminal.vmid, 'terminal');
    const send = (text: string) => client.socket.send(Buffer.from(text));
    await isOpened(client);
    send('1:80:24:');
    await typeAll(inTerminal, (key) => send(`0:1:${key === '\n' ? '\r' : key}`), signal);
    client.close();
    await client.closed;
  }

  async function take(): Promise<number> {
    const cookie = await signIn(base, exam.user);
    const used = await Promise.allSettled([useScreen(cookie), useTerminal(cookie)]);
    const [failed] = used.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (failed !== undefined && !signal.aborted) throw failed;
    return signal.aborted ? 0 : used.length;
  }

  const done = take().catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return 0;
  });
  return {
    done,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

/** Types each command at the pace of a user, and looks at what it printed. */
async function typeAll(
  commands: readonly string[],
  type: (key: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const command of commands) {
    await pause(commandMs, signal);
    for (const key of `${command}\n`) {
      if (signal.aborted) return;
      type(key);
      await pause(keyMs, signal);
    }
  }
  await pause(commandMs, signal);
}

async function isOpened({ socket, messages, closed }: ConsoleClient): Promise<void> {
  const opened = new Promise<void>((resolve) => {
    const look = () => messages.some(({ type }) => type === 'opened') && resolve();
    socket.on('message', look);
    look();
  });
  await Promise.race([
    opened,
    closed.then(({ code }) => Promise.reject(new Error(`The terminal of the exam ended with ${code}.`))),
  ]);
}
