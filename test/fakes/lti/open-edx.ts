import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A Python with lti-consumer-xblock, the part of Open edX that launches tools. `.ci/run` installs it. */
const python = fileURLToPath(new URL('../../../.cache/open-edx/bin/python', import.meta.url));
const script = fileURLToPath(new URL('open_edx_platform.py', import.meta.url));

export const openEdxAvailable = () => existsSync(python);
export const openEdxMissing =
  'lti-consumer-xblock is not installed (python3 -m venv .cache/open-edx && .cache/open-edx/bin/pip install -r test/fakes/lti/requirements.txt)';

export interface OpenEdx {
  readonly origin: string;
  /** Asks the platform to begin a launch. Resolves with the URL at the tool. */
  begin(launch: Readonly<Record<string, unknown>>): Promise<URL>;
  stop(): Promise<void>;
}

export async function startOpenEdx(tool: string): Promise<OpenEdx> {
  const child = spawn(python, [script, tool], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('Open edX does not start'))),
  ])) as [Buffer];
  const origin = `http://127.0.0.1:${Number(line.toString())}`;
  return {
    origin,
    async begin(launch) {
      const answer = await fetch(`${origin}/begin`, { method: 'POST', body: JSON.stringify(launch) });
      return new URL(((await answer.json()) as { url: string }).url);
    },
    async stop() {
      child.kill();
      await exited;
    },
  };
}
