import { createNovncChannel } from './novnc-channel.ts';
import type { Screen } from './screen.ts';
import type { DisplayAdapter } from './display-adapter.ts';

/** The screen as what a line's bytes appear on. noVNC is loaded while the broker is still being asked. */
export function createScreenAdapter(screen: Screen): DisplayAdapter {
  const novnc = import('@novnc/novnc');
  // The failure is handled where the module is used; until then it's not an unhandled one.
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
