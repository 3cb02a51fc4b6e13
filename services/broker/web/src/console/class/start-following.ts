import { systemClock } from '@porthole/shared/time/clock';
import { api } from '../../api.ts';
import { createConnection } from '../connection/connection.ts';
import { openConsoleSocket } from '../connection/console-socket.ts';
import { createLastFrame } from '../display/last-frame.ts';
import { createScreen } from '../display/screen.ts';
import { createScreenAdapter } from '../display/screen-adapter.ts';

const isVisible = () => document.visibilityState === 'visible';

/** Shows a machine that is shown to the class in an element, until the returned function is called. */
export function startFollowing(options: {
  readonly cluster: string;
  readonly vmid: number;
  readonly target: HTMLElement;
  readonly lastFrame: HTMLCanvasElement;
  readonly onOpen: (open: boolean) => void;
}): () => void {
  const { cluster, vmid, target, lastFrame, onOpen } = options;
  const screen = createScreen({
    target,
    lastFrame: createLastFrame(lastFrame),
    viewOnly: true,
    onClipboard() {},
  });
  // Whatever the relay grants, keys and clicks are meant for the user's own machine.
  const display = { ...createScreenAdapter(screen), setViewOnly() {} };
  const connection = createConnection({
    clock: systemClock,
    random: Math.random,
    online: () => navigator.onLine,
    visible: isVisible,
    requestGrant: (reopens) =>
      api.grant(
        cluster,
        vmid,
        { mode: 'view', kind: 'screen', follow: 'class', ...(reopens === undefined ? {} : { reopens }) },
        undefined,
      ),
    // Members need not see the machine in their list.
    machineStatus: async () => ({ ok: true, value: undefined }),
    openSocket: (grant, events) =>
      openConsoleSocket({ clock: systemClock, visible: isVisible, display }, grant, events),
    // The user's own console leads there.
    goToSignIn() {},
    show: ({ state }) => onOpen(state === 'open'),
  });
  const changed = () => connection.networkChanged();
  const visibilityChanged = () => connection.visibilityChanged();
  window.addEventListener('online', changed);
  window.addEventListener('offline', changed);
  document.addEventListener('visibilitychange', visibilityChanged);
  connection.open();
  return () => {
    window.removeEventListener('online', changed);
    window.removeEventListener('offline', changed);
    document.removeEventListener('visibilitychange', visibilityChanged);
    connection.stop();
    screen.detach();
  };
}
