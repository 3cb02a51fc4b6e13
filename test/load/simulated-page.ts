import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { RfbClient } from '../fakes/guests/rfb-client.ts';
import { connectConsole, type ConsoleClient } from '../relay/console-client.ts';

/** An interruption of a console, in milliseconds of `performance.now()`. */
export interface Interruption {
  readonly lostAt: number;
  readonly restoredAt: number;
  readonly code: number;
}

/** A page without a browser, which keeps a console open as the real page does. */
export interface SimulatedPage {
  readonly interruptions: readonly Interruption[];
  /** The grants and resume tokens that relays accepted, in order. */
  readonly redeemedTokens: readonly string[];
  /** Number of requested grants. */
  readonly grantRequests: number;
  readonly relay: number;
  /** Whether the page currently shows a picture. */
  readonly hasPicture: boolean;
  /** Resolves with the first picture. */
  readonly open: Promise<void>;
  close(): Promise<void>;
}

/**
 * `urls` are the relays behind one address. A page that can't reach a relay connects to another one, as with a load
 * balancer that knows which relays are ready.
 */
export function simulatePage(options: {
  readonly urls: readonly string[];
  readonly first: number;
  /** Added to the index of a lost relay to select the next one. Differs between pages. */
  readonly step: number;
  readonly origin: string;
  readonly requestGrant: () => Promise<string>;
  readonly onControl?: (message: ControlMessage) => void;
  /** Called with each picture that a new connection gets first. */
  readonly onPicture?: (rfb: RfbClient) => void;
}): SimulatedPage {
  const { urls, origin } = options;
  const interruptions: Interruption[] = [];
  const redeemedTokens: string[] = [];
  let relay = options.first;
  let grantRequests = 0;
  let resumeToken: string | undefined;
  let current: ConsoleClient | undefined;
  let lost: { at: number; code: number } | undefined;
  let hasPicture = false;
  let closed = false;
  let resolveOpen = () => {};
  const open = new Promise<void>((resolve) => (resolveOpen = resolve));

  async function connect(): Promise<void> {
    const token = resumeToken ?? (await requestGrant());
    if (closed) return;
    const client = connectConsole({ url: urls[relay % urls.length] ?? '', token, origin });
    current = client;
    client.socket.on('open', () => redeemedTokens.push(token));
    client.socket.on('message', (_data, isBinary: boolean) => {
      const message = isBinary ? undefined : client.messages.at(-1);
      if (!message) return;
      if (message.type === 'resume') resumeToken = message.token;
      options.onControl?.(message);
    });
    void client
      .rfb()
      .then(async (rfb) => {
        rfb.requestUpdate(false);
        await rfb.nextUpdate();
        if (lost) interruptions.push({ lostAt: lost.at, code: lost.code, restoredAt: performance.now() });
        lost = undefined;
        hasPicture = true;
        options.onPicture?.(rfb);
        resolveOpen();
      })
      .catch(() => {});
    const { code } = await client.closed;
    hasPicture = false;
    if (closed) return;
    if (code === 4401) resumeToken = undefined;
    else lost ??= { at: performance.now(), code };
    // After a refused connection or a lost relay, the page connects to the next one.
    if (code === 1006 || code === 1012) relay += options.step;
    await connect();
  }

  function requestGrant(): Promise<string> {
    grantRequests += 1;
    return options.requestGrant();
  }

  void connect();
  return {
    interruptions,
    redeemedTokens,
    get grantRequests() {
      return grantRequests;
    },
    get relay() {
      return relay % urls.length;
    },
    get hasPicture() {
      return hasPicture;
    },
    open,
    async close() {
      closed = true;
      current?.close();
      await current?.closed;
    },
  };
}
