import { connectConsole, type ConsoleClient } from '../relay/console-client.ts';

/** What happened to somebody who looks at a console, in milliseconds of one and the same clock. */
export interface Interruption {
  readonly lostAt: number;
  readonly backAt: number;
  readonly code: number;
}

/** A page without a browser: it keeps a console open as the page's connection does. */
export interface SimulatedPage {
  readonly interruptions: readonly Interruption[];
  /** Every grant that it presented to a relay that took it, in order. */
  readonly used: readonly string[];
  /** How often it had to ask for a new grant. */
  readonly asked: number;
  readonly relay: number;
  /** Whether it has its picture now. */
  readonly there: boolean;
  /** Resolves with the first picture. */
  readonly open: Promise<void>;
  leave(): Promise<void>;
}

/**
 * `urls` stand for the relays behind one address: a page that can't reach one is sent to the next, as a load
 * balancer does that knows who is ready.
 */
export function simulatePage(options: {
  readonly urls: readonly string[];
  readonly first: number;
  /** Which one comes after one that is lost: not the same for everybody. */
  readonly step: number;
  readonly origin: string;
  readonly askGrant: () => Promise<string>;
}): SimulatedPage {
  const { urls, origin } = options;
  const interruptions: Interruption[] = [];
  const used: string[] = [];
  let relay = options.first;
  let asked = 0;
  let resume: string | undefined;
  let current: ConsoleClient | undefined;
  let lost: { at: number; code: number } | undefined;
  let there = false;
  let gone = false;
  let opened = () => {};
  const open = new Promise<void>((resolve) => (opened = resolve));

  async function connect(): Promise<void> {
    const token = resume ?? (await ask());
    if (gone) return;
    const client = connectConsole({ url: urls[relay % urls.length] ?? '', token, origin });
    current = client;
    client.socket.on('open', () => used.push(token));
    client.socket.on('message', () => {
      for (const message of client.messages) if (message.type === 'resume') resume = message.token;
    });
    void client
      .rfb()
      .then(async (rfb) => {
        rfb.requestUpdate(false);
        await rfb.nextUpdate();
        if (lost) interruptions.push({ lostAt: lost.at, code: lost.code, backAt: performance.now() });
        lost = undefined;
        there = true;
        opened();
      })
      .catch(() => {});
    const { code } = await client.closed;
    there = false;
    if (gone) return;
    if (code === 4401) resume = undefined;
    else lost ??= { at: performance.now(), code };
    // A refused connection or a lost relay: the next one.
    if (code === 1006 || code === 1012) relay += options.step;
    await connect();
  }

  function ask(): Promise<string> {
    asked += 1;
    return options.askGrant();
  }

  void connect();
  return {
    interruptions,
    used,
    get asked() {
      return asked;
    },
    get relay() {
      return relay % urls.length;
    },
    get there() {
      return there;
    },
    open,
    async leave() {
      gone = true;
      current?.close();
      await current?.closed;
    },
  };
}
