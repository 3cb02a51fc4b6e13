import { shownCommands, type ShownCommand } from './commands.ts';

/** Tests that check all commands of a kind, so that a new one is checked without more work. */
const kinds = {
  /** helm-commands.test.ts */
  helm: /^helm /,
  /** kubectl-commands.test.ts */
  kubectl: /^(PASSWORD=\$\()?kubectl /,
  /** redis-cli-commands.test.ts; docs/redis.md has a test of its own. */
  'redis-cli': /^redis-cli info /,
  /** commands.test.ts */
  'apt-get': /^apt-get /,
  curl: /^curl (?!.*\/grants)/,
  docker: /^docker /,
  node: /^node /,
  npm: /^([A-Z_]+=\S+ )*npm /,
  openssl: /^openssl /,
  porthole: /^porthole /,
  proxmox: /^(journalctl|pvecm|pvenode|pveum|qm|systemctl) /,
  variables: /^(export )?[A-Z_]+=\S+$/,
} as const;
export type CommandKind = keyof typeof kinds;

/** Commands that tests elsewhere run, with those tests. A pattern matches all of the command. */
export const testedElsewhere: readonly (readonly [command: RegExp, test: string])[] = [
  [/^curl .*\/grants.*$/, 'test/docs/embedding.test.ts'],
  [/^k8s\/images\/debian-base\.sh( bookworm \S+| \[SUITE \[MIRROR\]\])$/, 'test/images/debian-base.test.ts'],
  [
    /^echo "set server relay\/relay-2 .*" \| socat stdio \/run\/haproxy\/admin\.sock$/,
    'test/fronts/fronts.test.ts',
  ],
  [
    /^redis-cli -h redis\.example\.org (config set masterauth "\$PASSWORD"|replicaof no one|replicaof \S+ 6379|info replication)$/,
    'test/standalone/redis-move.test.ts',
  ],
  [/^promtool test rules k8s\/monitoring\/rules\.test\.yaml$/, 'test/monitoring/rules.test.ts'],
  [/^ACL SETUSER porthole reset on >password …$/, 'test/shared/store/redis/tls.test.ts'],
];

const commands = shownCommands();

/** The names of the checks that cover a command: exactly one, if all is well. */
export function checksOf({ line }: ShownCommand): readonly string[] {
  return [
    ...Object.entries(kinds)
      .filter(([, pattern]) => pattern.test(line))
      .map(([kind]) => kind),
    ...testedElsewhere.filter(([pattern]) => pattern.test(line)).map(([, test]) => test),
  ];
}

/** Every command of a kind, once for each page. */
export function commandsOf(kind: CommandKind): readonly ShownCommand[] {
  const seen = new Set<string>();
  return commands.filter(({ page, line }) => {
    const key = `${page} ${line}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew && kinds[kind].test(line);
  });
}
