import { readConsoleDevices } from '@porthole/relay/upstream/console-devices';
import type { LocatedMachine } from '@porthole/relay/upstream/machine';

/** Reads the devices from this configuration. */
function read(config: Record<string, string>) {
  const client = {
    get: ({ path, schema }: { path: string; schema: { parse(data: unknown): unknown } }) => {
      expect(path).toBe('/nodes/pve1/qemu/100/config?current=1');
      return Promise.resolve(schema.parse({ data: config }));
    },
  };
  const machine = { cluster: { client }, path: '/nodes/pve1/qemu/100' } as unknown as LocatedMachine;
  return readConsoleDevices(machine, new AbortController().signal);
}

describe('the devices of a virtual machine', () => {
  test.each(['none', 'none,memory=16', 'type=none', 'memory=16,type=none'])(
    'have no display with vga: %s',
    async (vga) => {
      expect(await read({ vga })).toMatchObject({ display: false });
    },
  );

  test.each(['std', 'serial0', 'qxl,memory=32', 'type=virtio-gl', 'std,clipboard=vnc', 'memory=32', ''])(
    'have a display with vga: %j',
    async (vga) => {
      expect(await read({ vga })).toMatchObject({ display: true });
    },
  );

  test('have a display unless the configuration says otherwise', async () => {
    expect(await read({})).toEqual({ display: true, serialPort: false });
  });

  test('have a terminal only if a serial port is a socket', async () => {
    expect(await read({ serial0: '/dev/ttyS0', serial3: 'socket' })).toMatchObject({ serialPort: true });
    expect(await read({ serial0: '/dev/ttyS0' })).toMatchObject({ serialPort: false });
  });
});
