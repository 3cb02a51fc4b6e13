import { Readable } from 'node:stream';
import { porthole } from '@porthole/broker/cli/porthole';

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the `porthole` command in a folder with a `porthole.yaml`. */
export async function runPorthole(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  let [out, err] = ['', ''];
  const code = await porthole([...args], {
    stdin: Readable.from([]),
    stdout: {
      write(data, written) {
        out += typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
        written?.();
      },
    },
    stderr: { write: (text) => (err += text) },
    env: { PORTHOLE_CONFIG: 'porthole.yaml', ...env },
    cwd: folder,
    exit: () => {},
  });
  return { code, out, err };
}
