import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const program = `
import { openAuditOutput } from '@porthole/shared/audit/output';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
const failed = Promise.withResolvers();
const { write, component } = openAuditOutput({
  config: { to: 'file', file: '/dev/full' },
  stdout: process.stdout,
  log: { error: failed.resolve, info() {} },
  registry: createRegistry(),
});
write('x\\n');
await failed.promise;
await component.stop();
console.log('stopped');
`;

test('a process whose audit file is on a full disk exits once it has stopped', async () => {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=source', '--input-type=module', '--eval', program],
    {
      cwd: `${root}services/shared`,
      timeout: 45_000,
    },
  );
  expect(stdout).toBe('stopped\n');
});
