import { readFileSync } from 'node:fs';
import { startHaproxy, type Front } from '../fakes/haproxy/start.ts';
import { startNginx } from '../fakes/nginx/start.ts';

/** What a test changes of a configuration that we ship: addresses, files, and times that would take too long. */
export interface Changes {
  readonly front: number;
  readonly broker: number;
  /** Ports of relays. */
  readonly relays: readonly number[];
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** Certificate and key in one. */
  readonly both: string;
  /** Seconds after which an idle connection is cut. */
  readonly idle: number;
  /** Seconds after which what is left of before a reload is ended. */
  readonly leave: number;
  /** Socket for changes at run time. */
  readonly socket: string;
  /** Shows which configuration answers, in the header `x-generation`. */
  readonly generation: number;
}

export interface Shipped {
  readonly name: 'nginx' | 'haproxy';
  config(changes: Changes): string;
  start(options: { readonly port: number; readonly config: string }): Promise<Front>;
}

const read = (name: string) => readFileSync(new URL(`../../docs/fronts/${name}`, import.meta.url), 'utf8');

export const fronts: readonly Shipped[] = [
  {
    name: 'nginx',
    config: (changes) =>
      edit(read('nginx.conf'), [
        ['worker_processes auto', 'worker_processes 1'],
        ['worker_shutdown_timeout 12h', `worker_shutdown_timeout ${changes.leave}s`],
        ['listen 443 ssl', `listen 127.0.0.1:${changes.front} ssl`],
        ['/etc/porthole/tls.crt', changes.certificate],
        ['/etc/porthole/tls.key', changes.key],
        ['server 127.0.0.1:8080;', `server 127.0.0.1:${changes.broker};`],
        [
          'server 127.0.0.1:8081;',
          changes.relays.map((port) => `server 127.0.0.1:${port};`).join('\n        '),
        ],
        ['proxy_read_timeout 5m', `proxy_read_timeout ${changes.idle}s`],
        ['proxy_send_timeout 5m', `proxy_send_timeout ${changes.idle}s`],
        ['server_name', `add_header X-Generation ${changes.generation} always;\n        server_name`],
      ]),
    start: startNginx,
  },
  {
    name: 'haproxy',
    config: (changes) =>
      edit(read('haproxy.cfg'), [
        ['hard-stop-after 12h', `hard-stop-after ${changes.leave}s`],
        ['maxconn 20000', 'maxconn 500'],
        ['bind :443', `bind 127.0.0.1:${changes.front}`],
        ['/etc/porthole/tls.pem', changes.both],
        ['127.0.0.1:8080', `127.0.0.1:${changes.broker}`],
        [
          // The relays of this test have no operations port.
          'server relay-1 127.0.0.1:8081 check port 9091 inter 2s fall 2',
          changes.relays.map((port, i) => `server relay-${i + 1} 127.0.0.1:${port}`).join('\n    '),
        ],
        [`${freeSlots} check port 9091 inter 2s fall 2`, freeSlots],
        ['/run/haproxy/admin.sock', changes.socket],
        ['timeout tunnel 5m', `timeout tunnel ${changes.idle}s`],
        haproxyGeneration(changes.generation),
      ]),
    start: startHaproxy,
  },
];

const freeSlots = 'server-template relay- 2-8 127.0.0.1:8081';

function haproxyGeneration(generation: number): readonly [string, string] {
  return [
    'option forwardfor',
    `option forwardfor\n    http-after-response set-header X-Generation ${generation}`,
  ];
}

/** HAProxy before these relays, without TLS and without a broker. */
export function haproxyBefore(
  front: number,
  relays: readonly { readonly port: number; readonly operations: number }[],
  generation: number,
): string {
  return edit(read('haproxy.cfg'), [
    ['maxconn 20000', 'maxconn 2000'],
    ['bind :443 ssl crt /etc/porthole/tls.pem', `bind 127.0.0.1:${front}`],
    haproxyGeneration(generation),
    [
      'server relay-1 127.0.0.1:8081 check port 9091 inter 2s fall 2',
      relays
        .map(
          ({ port, operations }, i) =>
            `server relay-${i + 1} 127.0.0.1:${port} check port ${operations} inter 2s fall 2`,
        )
        .join('\n    '),
    ],
    // The configuration names every relay.
    [`${freeSlots} check port 9091 inter 2s fall 2 disabled`, ''],
    ['stats socket /run/haproxy/admin.sock mode 600 level admin', ''],
  ]);
}

/** Fails where the text has nothing to replace: then what we ship has changed, and this is out of date. */
function edit(text: string, replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`The configuration does not say "${from}".`);
    return before.replaceAll(from, to);
  }, text);
}
