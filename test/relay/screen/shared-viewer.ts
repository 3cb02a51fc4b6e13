import type { Duplex } from 'node:stream';
import { systemClock } from '@porthole/shared/time/clock';
import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { rfbVersion, sharedClientInit } from '@porthole/relay/rfb/handshake-constants';
import { createMachineHandshake } from '@porthole/relay/rfb/machine-handshake';
import { createViewerHandshake } from '@porthole/relay/rfb/viewer-handshake';
import type { ScreenUpstream, SharedScreen } from '@porthole/relay/screen/shared-screen-contract';
import { startPump } from '@porthole/relay/stream/pump';
import { runHandshake } from '@porthole/relay/stream/run-handshake';
import type { Guest } from '../../fakes/guests/guest.ts';
import { linkedPair } from '../../fakes/guests/linked-pair.ts';
import { openRfb, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { createStreamLink } from './stream-link.ts';

const handshakeOptions = {
  signal: new AbortController().signal,
  leftover: { maxBytes: 256 * 1024, onExceeded: () => {} },
  onEnded: () => {},
};

/** A console of the guest that has authenticated. */
export async function dialGuest(guest: Guest): Promise<ScreenUpstream> {
  await guest.setPassword('password', 30);
  const link = createStreamLink(await guest.connect());
  const takeLeftover = await runHandshake(link, createMachineHandshake('password'), handshakeOptions);
  return { link, takeLeftover, start: 'authenticated' };
}

interface SharedViewer {
  setControl(control: boolean): void;
  leave(): void;
}

/** A viewer of a shared screen, connected by a pump as in a session. */
export async function openSharedViewer(
  screen: SharedScreen,
  { control = true, encodings }: { readonly control?: boolean; readonly encodings?: number[] } = {},
): Promise<SharedViewer & { readonly rfb: RfbClient }> {
  const [relaySide, viewerSide] = linkedPair();
  const bridging = bridgeSharedViewer(screen, relaySide, { control });
  const rfb = await openRfb(viewerSide, encodings ? { encodings } : {});
  return { ...(await bridging), rfb };
}

/** Gives the viewer at the other end of a stream a place at a shared screen. */
export async function bridgeSharedViewer(
  screen: SharedScreen,
  stream: Duplex,
  { control = true }: { readonly control?: boolean } = {},
): Promise<SharedViewer> {
  const { link, setControl } = screen.attach({ control });
  const viewerLink = createStreamLink(stream);
  const handshake = runHandshake(viewerLink, createViewerHandshake(), handshakeOptions);
  viewerLink.send(rfbVersion);
  const viewerLeftover = await handshake;
  link.send(sharedClientInit);
  const pump = startPump(
    {
      clock: systemClock,
      viewer: viewerLink,
      viewerLeftover,
      machine: link,
      machineLeftover: () => Buffer.alloc(0),
      filter: new ClientMessageFilter({ viewOnly: false, onHumanInput: () => {} }),
    },
    { count: () => {}, onEnd: () => leave() },
  );
  function leave(): void {
    pump.stop();
    link.destroy();
    viewerLink.destroy();
  }
  return { setControl, leave };
}
