import { connectConsole, type ConsoleClient } from '../relay/console-client.ts';

/** An interruption of a console, in milliseconds of `performance.now()`. */
export interface Interruption {
  readonly lostAt: number;
  readonly backAt: number;
  readonly code: number;
}

/** A page without a browser, which keeps a console open as the real page does. */
export interface SimulatedPage {
  readonly interruptions: readonly Interruption[];
  /** The grants and resume tokens that relays accepted, in order. */
  readonly used: readonly string[];
  /** Number of requested grants. */
  readonly asked: number;
  readonly relay: number;
  /** Whether the page currently shows a picture. */
  readonly there: boolean;
  /** Resolves with the first picture. */
  readonly open: Promise<void>;
  leave(): Promise<void>;
}

/**
 * `urls` are the relays behind one address. A page that can't reach a relay connects to another one, as with a load balancer
 * that knows which relays are ready.
 */
export function simulatePage(options: {
  readonly urls: readonly string[];
  readonly first: number;
  /** Added to the index of a lost relay to select the next one. Differs between pages. */
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
    // After a refused connection or a lost relay, the page connects to the next one.
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
