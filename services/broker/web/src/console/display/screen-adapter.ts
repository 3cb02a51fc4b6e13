import type { DisplayAdapter } from './display-adapter.ts';
import { createNovncChannel } from './novnc-channel.ts';
import type { Screen } from './screen.ts';

/** Connects the screen to console sockets. noVNC loads while the broker handles the grant request. */
export function createScreenAdapter(screen: Screen): DisplayAdapter {
  const novnc = import('@novnc/novnc');
  // `load` handles the failure; until then it must not count as unhandled.
  novnc.catch(() => {});
  return {
    async load() {
      const { default: RFB } = await novnc;
      return (socket, events) => {
        const channel = createNovncChannel(socket);
        screen.attach((target) => new RFB(target, channel, { shared: true }), events);
        return channel.deliver;
      };
    },
    setViewOnly: screen.setViewOnly,
    detach: screen.detach,
  };
}
