import { toolKeysError } from '@porthole/broker/lti/tool-keys';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Readable } from 'node:stream';
import { porthole } from '@porthole/broker/cli/porthole';
import { environmentVariables } from '@porthole/shared/config/environment';
import { parseDelayProfile } from '../fakes/proxmox/delay-profiles.ts';
import { commandOf, dockerfile } from '../images/dockerfile.ts';
import { services } from '../../k8s/images/stage-service.ts';
import { readOptions } from '../load/options.ts';
import { describeWith } from '../needs.ts';
import { createRelayRig, testOrigin } from '../relay/rig.ts';
import { checksOf, commandsOf, testedElsewhere } from './command-checks.ts';
import { root, shownCommands } from './commands.ts';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-commands-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Words of a command for a shell without variables: quotes are removed. */
const wordsOf = (line: string) =>
  Array.from(line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g), ([word]) => word.replaceAll(/["']/g, ''));

async function runPorthole(args: readonly string[], input = ''): Promise<{ code: number; output: string }> {
  let output = '';
  const write = (text: string) => (output += text);
  const code = await porthole(args, {
    stdin: Readable.from([input]),
    stdout: { write },
    stderr: { write },
    env: {},
    cwd: folder,
    exit: () => {},
  });
  return { code, output };
}

describe('every documented command', () => {
  test('is covered by exactly one check', () => {
    const commands = shownCommands();
    expect(commands.length).toBeGreaterThan(150);
    expect(
      commands
        .filter((command) => checksOf(command).length !== 1)
        .map(({ page, line }) => `${page}: ${line}: ${checksOf({ page, line }).join() || 'no check'}`),
    ).toEqual([]);
  });

  test('that is checked elsewhere is still documented, and its test exists', () => {
    for (const [pattern, test] of testedElsewhere) {
      expect(shownCommands().filter(({ line }) => pattern.test(line))).not.toEqual([]);
      expect(existsSync(join(root, test))).toBe(true);
    }
  });

  test('without a check is found: in blocks, in sentences and in comments', () => {
    expect(checksOf({ page: 'x', line: 'podman run x' })).toEqual([]);
    expect(checksOf({ page: 'x', line: 'redis-cli flushall' })).toEqual([]);
    const found = shownCommands();
    for (const [page, line] of [
      ['docs/install.md', 'kubectl create namespace consoles'],
      ['docs/sign-in.md', 'kubectl create token grader --audience porthole'],
      ['k8s/images/debian-base.sh', 'k8s/images/debian-base.sh [SUITE [MIRROR]]'],
      ['Dockerfile', 'docker build --target relay .'],
    ])
      expect(found).toContainEqual({ page, line });
  });
});

describe('documented npm commands', () => {
  const commands = commandsOf('npm').map(({ page, line }) => {
    const [before = '', ...rest] = line.replace(/^([A-Z_]+=\S+ )*/, '').split(' -- ');
    const [, verb = '', script = verb] = before
      .replace(/ --$/, '')
      .split(' ')
      .filter((word) => word !== '--silent');
    return { page, line, script, args: wordsOf(rest.join(' -- ')) };
  });

  test.each(commands)('$page: $line runs a script of package.json', ({ script }) => {
    expect([...Object.keys(scripts), 'ci', 'install', 'run']).toContain(script);
  });

  const withArguments = commands.filter(({ args }) => args.length > 0);
  const ofScript = (name: string) => withArguments.filter(({ script }) => script === name);

  test('with arguments belong to a script whose arguments are checked below', () => {
    const checked = ['attack', 'bench', 'demo', 'images', 'porthole', 'rehearse', 'test:only', 'user'];
    expect(withArguments.filter(({ script }) => !checked.includes(script))).toEqual([]);
  });

  test.each(ofScript('attack'))('$line', ({ args }) => {
    // main.ts of the attack reads: soak MINUTES.
    expect(args.join(' ')).toMatch(/^soak [1-9]\d*$/);
  });

  test.each(ofScript('bench'))('$line', ({ args }) => {
    expect(() => readOptions(args)).not.toThrow();
  });

  test.each([...ofScript('demo'), ...ofScript('rehearse')])('$page: $line', ({ args }) => {
    const options = { proxmox: { type: 'string' }, 'base-path': { type: 'string' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    expect(() => parseDelayProfile(values.proxmox)).not.toThrow();
  });

  test.each(ofScript('test:only'))('$line', ({ args }) => {
    for (const word of args) expect(word === '--runInBand' || existsSync(join(root, word))).toBe(true);
  });

  test.each(ofScript('porthole'))('$line', async ({ args }) => {
    expect(await runPorthole([...args, '--help'])).toMatchObject({ code: 0 });
  });

  test.each(ofScript('user'))('$page: $line', async ({ args }) => {
    expect(scripts['user']).toMatch(/cli\/main\.ts user add$/);
    expect(await runPorthole(['user', 'add', ...args], 'long enough\n')).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'users.yaml'), 'utf8')).toContain('ada');
  });

  test.each(ofScript('images'))('$page: $line', ({ args }) => {
    // Engines that only show how they were called.
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const name of ['docker', 'buildah'])
      writeFileSync(join(bin, name), `#!/bin/sh\necho ${name} "$@"\n`, { mode: 0o755 });
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'k8s/images/build-images.ts'), ...args],
      { encoding: 'utf8', env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const word of args.filter((one) => !one.startsWith('--'))) expect(stdout).toContain(word);
  });
});

describe('documented porthole commands', () => {
  test.each(commandsOf('porthole').filter(({ line }) => !line.includes('COMMAND')))(
    '$page: $line',
    async ({ line }) => {
      const [, ...args] = wordsOf(line.replaceAll(/[[\]]/g, ''));
      const words = args.filter((word) => !word.startsWith('--') && word !== 'URL');
      const { code, output } = await runPorthole([...words, '--help']);
      expect(code).toBe(0);
      expect(output).toContain(`porthole ${words.join(' ')}`);
      for (const option of args.filter((word) => word.startsWith('--'))) expect(output).toContain(option);
    },
  );
});

describe('documented docker commands', () => {
  const shown = (page: string) => commandsOf('docker').filter((command) => command.page === page);
  const images = services.map((service) => `ghcr.io/porthole/${service}:0.1.0`);

  test('of docs/air-gapped.md move each image from the public registry into the own one', () => {
    const engine = { local: new Set<string>(), archive: new Set<string>(), pushed: new Set<string>() };
    for (const { line } of shown('docs/air-gapped.md')) {
      const [, verb, ...args] = wordsOf(line);
      const [first = '', second = '', ...more] = args;
      if (verb === 'pull') {
        expect(images).toContain(first);
        engine.local.add(first);
      } else if (verb === 'save') {
        expect([first, [...more].toSorted()]).toEqual(['-o', [...engine.local].toSorted()]);
        engine.archive = new Set(engine.local);
        // The other network is another computer.
        engine.local.clear();
      } else if (verb === 'load') engine.local = new Set(engine.archive);
      else if (verb === 'tag') {
        expect(engine.local).toContain(first);
        engine.local.add(second);
      } else if (verb === 'push') {
        expect(engine.local).toContain(first);
        engine.pushed.add(first);
      } else throw new Error(`No check for ${line}`);
    }
    expect(engine.pushed.size).toBe(engine.archive.size);
  });

  const runs = commandsOf('docker').filter(({ line }) => line.startsWith('docker run'));
  test.each(runs)('$page: $line runs an image and a command that exist', async ({ line }) => {
    const words = wordsOf(line);
    const position = words.findIndex((word) => word.startsWith('ghcr.io/'));
    expect(images).toContain(words[position]);
    const [script, ...args] = words.slice(position + 1);
    if (script === undefined) return;
    expect(existsSync(join(root, script.replace('/dist/', '/src/').replace(/\.js$/, '.ts')))).toBe(true);
    const command = args.slice(0, 2);
    expect(await runPorthole([...command, '--help'])).toMatchObject({ code: 0 });
  });

  test('for builds name a stage of the Dockerfile', () => {
    for (const { line } of commandsOf('docker').filter(({ line: one }) => one.startsWith('docker build')))
      expect(dockerfile).toContain(` AS ${/--target (\S+)/.exec(line)?.[1]}\n`);
  });

  test('are of these kinds', () => {
    for (const { page, line } of commandsOf('docker'))
      expect(page === 'docs/air-gapped.md' || /^docker (run|build) /.test(line)).toBe(true);
  });
});

test('documented commands of images are those of the Dockerfile', () => {
  const ofImages = services.map((service) => `node ${commandOf(service).join(' ')}`);
  expect(
    commandsOf('node')
      .map(({ line }) => line)
      .toSorted(),
  ).toEqual(ofImages.toSorted());
});

test('documented variables are read by Porthole', () => {
  const known = environmentVariables.flatMap(({ name, secret }) =>
    secret ? [name, `${name}_FILE`] : [name],
  );
  for (const { line } of commandsOf('variables'))
    expect(known).toContain(/^(?:export )?([A-Z_]+)=/.exec(line)?.[1]);
});

test('the README installs what .ci/run installs', () => {
  const inCi = /^packages=\(([^)]*)\)/m.exec(readFileSync(join(root, '.ci/run'), 'utf8'))?.[1];
  expect(commandsOf('apt-get').map(({ line }) => line)).toEqual([`apt-get install ${inCi}`]);
});

describe("documented commands of Proxmox VE, which can't run here", () => {
  test('are in the list of those that Proxmox documents', () => {
    const known =
      /^(pveum (role add|user add|user token add|user token list|acl modify|role modify) ?|qm (set|unlock|monitor)|pvecm status|pvenode cert info|(journalctl -u|systemctl status) (pvedaemon|pveproxy)$)/;
    expect(commandsOf('proxmox').filter(({ line }) => !known.test(line))).toEqual([]);
  });

  test('give the account the privileges with which the tests of the images open a console', () => {
    const [privileges = ''] = commandsOf('proxmox').flatMap(
      ({ line }) => /--privs "(.*)"/.exec(line)?.[1] ?? [],
    );
    const list = privileges
      .split(' ')
      .map((name) => `'${name}'`)
      .join(', ');
    expect(readFileSync(join(root, 'test/images/installation.ts'), 'utf8')).toContain(
      `acl: { '/': [${list}] }`,
    );
  });
});

describeWith('openssl')('openssl', () => {
  test.each(commandsOf('openssl'))('$page: $line makes a key that Porthole accepts', ({ line }) => {
    const { stdout } = spawnSync('sh', ['-c', line.replace(/ -out \S+/, '')], { encoding: 'utf8' });
    if (line.includes('genpkey')) expect(toolKeysError(stdout)).toBeUndefined();
    else expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

describeWith('curl')('curl', () => {
  test.each(commandsOf('curl'))('$page: $line gets the answer of the page', async ({ line }) => {
    const rig = await createRelayRig();
    const url = rig.url.replace('ws:', 'http:');
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const command = line
      .replace('https://porthole.example.org/relay/v1/console', url)
      .replace('https://porthole.example.org', testOrigin);
    execFile('sh', ['-c', `${command} --max-time 20`], { encoding: 'buffer' }, (_error, stdout) =>
      resolve(stdout),
    );
    const answer = await promise;
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 101 Switching Protocols/);
    // A close frame, with its length and close code.
    expect(answer.indexOf(Buffer.from([0x11, 0x31]))).toBeGreaterThan(0);
    expect(answer.readUInt16BE(answer.lastIndexOf(Buffer.from([0x11, 0x31])))).toBe(4401);
    await rig.stop();
  });
});
